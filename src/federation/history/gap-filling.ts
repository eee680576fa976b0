import { RoomQueues } from "../../ingest/room-queues.ts";
import type { RoomReceiver } from "../../ingest/room-receiver.ts";
import { serverNameOf } from "../../protocol/identifiers.ts";
import type { GapOutcome } from "../../services/reading/remote-history.ts";
import type { EventReader } from "../../state/event-reader.ts";
import type { Room } from "../../state/room-index.ts";
import type { EventStore } from "../../storage/events.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { RoomRequests } from "../requests/room-requests.ts";
import type { HistoryEvents } from "./history-events.ts";
import type { HistoryServers } from "./history-servers.ts";
import { Questions } from "./questions.ts";

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

/** Fills gaps of timelines from their newer end with what other servers have (server-server API, "Backfilling"). */
export class GapFilling {
  readonly #parts: GapFillingParts;
  readonly #questions: Questions;
  /** What changes the gaps of one room is done one after the other. */
  readonly #queues = new RoomQueues<number>();

  constructor(parts: GapFillingParts) {
    this.#parts = parts;
    this.#questions = new Questions(parts, maxUnderWay);
  }

  /** See `RemoteHistory`. */
  fill(room: Room, position: number, maxWaitMs: number): Promise<GapOutcome> {
    const fill = () => this.exclusively(room, () => this.#fill(room, position));
    return this.#questions.ask(room, position, maxWaitMs, fill);
  }

  /** Work that changes the gaps of a room: nobody fills one of them meanwhile. */
  exclusively<Result>({ roomNid }: Room, work: () => Promise<Result>): Promise<Result> {
    return this.#queues.run(roomNid, work);
  }

  async #fill(room: Room, position: number): Promise<GapOutcome> {
    const { eventStore, events, receiver, requests, history, servers } = this.#parts;
    // Somebody else may have filled it meanwhile.
    if (!(await eventStore.gaps(room.roomNid)).includes(position)) return "changed";
    const followers = await events.roomEvents(await eventStore.gapFollowers(room.roomNid, position));
    const before = [...new Set(followers.flatMap(({ prevEventIds }) => prevEventIds))];
    const placed = await history.placed(room, before);
    const missing = before.filter((id) => !placed.has(id)).slice(0, maxAsked);
    const free = Math.min(await freeBefore(eventStore, room.roomNid, position), eventsAtOnce);
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
}

/** How many positions are free before a gap's end. */
export async function freeBefore(
  store: Pick<EventStore, "placesBackwards">,
  roomNid: number,
  gap: number,
): Promise<number> {
  const [older] = await store.placesBackwards(roomNid, gap - 1, Number.MIN_SAFE_INTEGER, 1);
  return older ? gap - 1 - older.position : Number.MAX_SAFE_INTEGER;
}
