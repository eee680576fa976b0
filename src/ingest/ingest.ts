import type { SigningKey } from "../protocol/ed25519.ts";
import type { ServerName } from "../protocol/identifiers.ts";
import { EventReader } from "../state/event-reader.ts";
import type { PartialRooms } from "../state/partial-rooms.ts";
import { RoomIndex } from "../state/room-index.ts";
import { StateResolver } from "../state/state-resolver.ts";
import { StateSnapshots } from "../state/state-snapshots.ts";
import type { Stores } from "../storage/database.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Observed } from "../telemetry/observations.ts";
import { Pace } from "../telemetry/pace.ts";
import type { RandomBytes } from "../telemetry/random.ts";
import { Authorisation } from "./authorisation.ts";
import { BatchBuilder } from "./batch.ts";
import type { EventPolicy } from "./event-policy.ts";
import { LocalEventMaker } from "./local-event.ts";
import { Redactions } from "./redactions.ts";
import { Restatements } from "./restatements.ts";
import { RoomCommits } from "./room-commits.ts";
import { RoomHeads } from "./room-heads.ts";
import { RoomOutliers } from "./room-outliers.ts";
import { RoomQueues } from "./room-queues.ts";
import { RoomReceiver } from "./room-receiver.ts";
import { RoomWriter } from "./room-writer.ts";

/** The event graph, as the services see it. */
export interface EventGraph {
  readonly writer: RoomWriter;
  readonly receiver: RoomReceiver;
  readonly outliers: RoomOutliers;
  readonly restatements: Restatements;
  readonly events: EventReader;
  readonly rooms: RoomIndex;
  readonly snapshots: StateSnapshots;
  /** Runs work while nothing of a room is on its way into storage, and nothing begins to be. */
  readonly whileIdle: <Result>(roomNid: number, work: () => Promise<Result>) => Promise<Result>;
  /** Work on many events takes turns by it with everything else. */
  readonly pace: Pace;
}

export interface EventGraphParts {
  readonly serverName: ServerName;
  readonly key: SigningKey;
  readonly stores: Stores;
  readonly names: NameCache;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly policy?: EventPolicy | undefined;
  readonly partialRooms: Pick<PartialRooms, "has">;
  /** Told of each state that has been resolved: how many milliseconds it took. */
  readonly resolutions?: Observed<number>;
}

/** Puts together what writes to rooms and reads from them. New integer IDs count on from the highest ones in storage. */
export async function openEventGraph(parts: EventGraphParts): Promise<EventGraph> {
  const { serverName, key, stores, names, clock, randomBytes } = parts;
  const highest = { ...(await stores.rooms.highestNids()) };
  const nextEventNid = () => ++highest.eventNid;
  const nextRoomNid = () => ++highest.roomNid;
  const queues = new RoomQueues<number>();
  const pace = new Pace(clock);
  const rooms = new RoomIndex(stores.rooms);
  const events = new EventReader(stores.events, rooms);
  const snapshots = new StateSnapshots(stores.state, () => ++highest.snapshotNid);
  const maker = new LocalEventMaker({ serverName, key, events, names, clock, randomBytes });
  const authorisation = new Authorisation(events, names);
  const redactions = new Redactions({ eventStore: stores.events, events, names, snapshots, authorisation });
  const batches = new BatchBuilder({
    serverName,
    events,
    snapshots,
    names,
    maker,
    policy: parts.policy,
    redactions,
    nextEventNid,
    clock,
  });
  const heads = new RoomHeads(stores.rooms, snapshots);
  const commits = new RoomCommits({ commits: stores.commits, events, snapshots, heads, names });
  const writer = new RoomWriter({
    commits,
    eventStore: stores.events,
    events,
    names,
    rooms,
    heads,
    queues,
    batches,
    maker,
    nextRoomNid,
  });
  const resolver = new StateResolver(stores.state, snapshots, clock, parts.resolutions);
  const receiver = new RoomReceiver({
    serverName,
    commits,
    eventStore: stores.events,
    events,
    snapshots,
    names,
    heads,
    queues,
    resolver,
    authorisation,
    redactions,
    partialRooms: parts.partialRooms,
    nextEventNid,
    clock,
    pace,
  });
  const restatements = new Restatements({
    serverName,
    commits: stores.commits,
    eventStore: stores.events,
    events,
    snapshots,
    names,
    heads,
    queues,
    resolver,
    authorisation,
    redactions,
    clock,
    pace,
  });
  const outliers = new RoomOutliers({
    serverName,
    commits: stores.commits,
    eventStore: stores.events,
    events,
    names,
    rooms,
    roomStore: stores.rooms,
    heads,
    queues,
    authorisation,
    nextEventNid,
    nextRoomNid,
    pace,
  });
  const whileIdle = <Result>(roomNid: number, work: () => Promise<Result>): Promise<Result> =>
    queues.run(roomNid, async () => {
      await heads.idle(roomNid);
      return work();
    });
  return { writer, receiver, outliers, restatements, events, rooms, snapshots, whileIdle, pace };
}
