import { boundedCache } from "../../cache/bounded-cache.ts";
import { RoomQueues } from "../../ingest/room-queues.ts";
import type { RoomReceiver } from "../../ingest/room-receiver.ts";
import { type ServerName, serverNameOf } from "../../protocol/identifiers.ts";
import type { GapOutcome } from "../../services/reading/remote-history.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { Room } from "../../state/room-index.ts";
import type { EventStore } from "../../storage/events.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { RoomRequests } from "../requests/room-requests.ts";
import type { HistoryEvents } from "./history-events.ts";
import type { HistoryServers } from "./history-servers.ts";

export interface GapFillingParts {
  readonly eventStore: Pick<EventStore, "gaps" | "gapFollowers" | "placesBackwards">;
  readonly events: Pick<EventReader, "roomEvents">;
  readonly receiver: Pick<RoomReceiver, "fillGap" | "closeGap">;
  readonly requests: Pick<RoomRequests, "backfill">;
  readonly servers: HistoryServers;
  readonly history: Pick<HistoryEvents, "placed" | "complete">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** As many as one answer gives, and one commit takes. */
const eventsAtOnce = 100;
/** So many events that are missing are asked for at a time: they fit into a request line. */
const maxAsked = 20;
/** Gaps that are being filled at the same time. */
const maxUnderWay = 100;
/** After all servers have failed, for this long nobody is asked, unless one that was out of reach is back. */
const restMs = 60_000;
const maxResting = 10_000;

/** Fills gaps of timelines from their newer end with what other servers have (server-server API, "Backfilling"). */
export class GapFilling {
  readonly #parts: GapFillingParts;
  readonly #underWay = new Map<string, Promise<GapOutcome>>();
  /** Gaps that nobody has helped with, and the servers that could not be asked. */
  readonly #resting = boundedCache<string, readonly ServerName[]>(maxResting);
  /** What changes the gaps of one room is done one after the other. */
  readonly #queues = new RoomQueues<number>();

  constructor(parts: GapFillingParts) {
    this.#parts = parts;
  }

  /** See `RemoteHistory`. */
  async fill(room: Room, position: number, maxWaitMs: number): Promise<GapOutcome> {
    const key = `${room.roomNid} ${position}`;
    const awaited = this.#resting.get(key);
    if (awaited && this.#parts.servers.allRest(awaited)) return "unavailable";
    const known = this.#underWay.get(key);
    if (!known && this.#underWay.size >= maxUnderWay) return "pending";
    return withinTime(this.#parts.clock, maxWaitMs, known ?? this.#start(key, room, position));
  }

  /** Work that changes the gaps of a room: nobody fills one of them meanwhile. */
  exclusively<Result>({ roomNid }: Room, work: () => Promise<Result>): Promise<Result> {
    return this.#queues.run(roomNid, work);
  }

  #start(key: string, room: Room, position: number): Promise<GapOutcome> {
    const work = this.#queues
      .run(room.roomNid, () => this.#fill(room, position))
      .then(async (outcome) => {
        if (outcome !== "unavailable") return outcome;
        this.#resting.set(key, await this.#parts.servers.restingIn(room), { ttl: restMs });
        return outcome;
      })
      .catch((error: unknown): GapOutcome => {
        this.#parts.log.error({ err: error, roomId: room.roomId }, "missing events cannot be stored");
        return "unavailable";
      })
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, work);
    return work;
  }

  async #fill(room: Room, position: number): Promise<GapOutcome> {
    const { eventStore, events, receiver, requests, history, servers } = this.#parts;
    // Somebody else may have filled it meanwhile.
    if (!(await eventStore.gaps(room.roomNid)).includes(position)) return "changed";
    const followers = await events.roomEvents(await eventStore.gapFollowers(room.roomNid, position));
    const before = [...new Set(followers.flatMap(({ prevEventIds }) => prevEventIds))];
    const placed = await history.placed(room, before);
    const missing = before.filter((id) => !placed.has(id)).slice(0, maxAsked);
    const free = Math.min(await this.#free(room, position), eventsAtOnce);
    if (missing.length === 0 || free === 0) {
      await receiver.closeGap(room, position);
      return "changed";
    }
    const senders = followers.map(({ sender }) => serverNameOf(sender));
    const answers = servers.answers(room, senders, async (server, signal) => {
      const pdus = await requests.backfill(server, room.roomId, missing, free, signal);
      return history.complete(room, server, missing, pdus);
    });
    for await (const told of answers) {
      if (told.length === 0) continue;
      const receipts = await receiver.fillGap(room, position, told);
      if (receipts.some(({ verdict }) => verdict !== "known" && verdict !== "incomplete")) return "changed";
    }
    return "unavailable";
  }

  /** How many positions are free before a gap's end. */
  async #free({ roomNid }: Room, position: number): Promise<number> {
    const [older] = await this.#parts.eventStore.placesBackwards(
      roomNid,
      position - 1,
      Number.MIN_SAFE_INTEGER,
      1,
    );
    return older ? position - 1 - older.position : Number.MAX_SAFE_INTEGER;
  }
}

/** What comes later is there when the client asks again. */
export async function withinTime(
  clock: Clock,
  maxWaitMs: number,
  work: Promise<GapOutcome>,
): Promise<GapOutcome> {
  const late = Promise.withResolvers<GapOutcome>();
  using _timer = clock.setTimer(maxWaitMs, () => late.resolve("pending"));
  return await Promise.race([work, late.promise]);
}
