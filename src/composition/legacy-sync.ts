import { legacySyncHandlers } from "../http/handlers/legacy-sync.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { RoomSnapshots } from "../services/reading/room-snapshots.ts";
import { EventStream } from "../sync/event-stream.ts";
import { InitialSync } from "../sync/initial-sync.ts";
import { LongPolls } from "../sync/long-poll.ts";
import type { PresenceStream } from "../sync/streams/presence.ts";
import type { Foundation } from "./foundation.ts";
import type { ReadingParts } from "./reading.ts";
import type { TimelineParts } from "./timeline.ts";
import type { UserDataParts } from "./user-data.ts";

export interface LegacySyncSources {
  readonly timeline: TimelineParts;
  readonly userData: UserDataParts;
  readonly reading: ReadingParts;
  readonly presence: PresenceStream | undefined;
}

/** The endpoints that bots still call which are older than /sync, and those that peek into rooms. */
export function composeLegacySync(
  { stores, notifier, memberships: liveMemberships, clock, graph, names }: Foundation,
  { timeline, userData, reading, presence }: LegacySyncSources,
): readonly BoundEndpoint[] {
  const { rooms, events } = graph;
  const { views, readers, presenter, stateTexts, pace } = timeline;
  const { access, pages, single } = reading;
  const { accountData } = userData;
  const { memberships, rooms: roomStore, events: store } = stores;
  const snapshots = new RoomSnapshots({
    access,
    pages,
    memberships,
    rooms: roomStore,
    accountData,
    presenter,
    stateTexts,
    pace,
  });
  const shown = { views, readers, presenter, accountData, names };
  const shared = { notifier, memberships, rooms, events, access, pace, ...shown };
  return legacySyncHandlers({
    initial: new InitialSync({ ...shared, snapshots, presence }),
    snapshots,
    stream: new EventStream({
      ...shared,
      liveMemberships,
      longPolls: new LongPolls(notifier, stores.sessions, clock),
      store,
      roomStore,
    }),
    single,
  });
}
