import { MatrixError } from "../protocol/matrix-error.ts";
import type { Room } from "../state/room-index.ts";
import type { StoredEvent } from "../storage/events.ts";
import { StorageError } from "../storage/errors.ts";
import { ReceivedBatch, type Placement, type ReceivedBatchParts } from "./received-batch.ts";
import type { Receipt, ReceivedEvent } from "./received-event.ts";
import type { RoomCommits } from "./room-commits.ts";
import { HeadDraft } from "./room-head.ts";
import type { RoomHeads } from "./room-heads.ts";
import type { RoomQueues } from "./room-queues.ts";

export interface RoomReceiverParts extends ReceivedBatchParts {
  readonly commits: RoomCommits;
  readonly heads: RoomHeads;
  readonly queues: RoomQueues<number>;
}

/** Inside an object, so that nobody who waits for the judging waits for the commit as well. */
interface ReceiptUnderWay {
  readonly receipts: readonly Receipt[];
  readonly done: Promise<StoredEvent[] | undefined>;
}

const maxAttempts = 3;
/** Bounds what one commit holds up. */
const maxEventsAtOnce = 100;

/** The one way for events of other servers into a room's graph. */
export class RoomReceiver {
  readonly #parts: RoomReceiverParts;
  #forked: ((room: Room, extremities: number) => void) | undefined;

  constructor(parts: RoomReceiverParts) {
    this.#parts = parts;
  }

  /** Has somebody told how many ends a room's graph has, each time that received events have made it have several. */
  followForks(listener: (room: Room, extremities: number) => void): void {
    this.#forked = listener;
  }

  /**
   * Takes events into the graph, in order: each after those that it follows. Every one is judged by the checks 4 to 6 on
   * receipt of a PDU (server-server API).
   * @param events at most 100
   * @returns what became of each, once what there is to store is on disk
   * @throws StorageError
   */
  async receive(
    room: Room,
    events: readonly ReceivedEvent[],
    placement: Placement = "live",
  ): Promise<readonly Receipt[]> {
    if (events.length > maxEventsAtOnce) throw new RangeError(`${events.length} events at once are too many`);
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const { receipts, done } = await this.#parts.queues.run(room.roomNid, () =>
        this.#begin(room, events, placement),
      );
      if (await done) return receipts;
    }
    throw new StorageError("overloaded", `what room ${room.roomId} receives cannot be stored`);
  }

  /**
   * Takes events that are older than those of the timeline into a gap. What they follow without its being here is the new
   * gap.
   * @param position where the gap is; see `EventStore.gaps`
   * @param events at most 100, each after those that it follows; there have to be free positions for them
   * @param before the events take the positions before this one, which lies in the gap. Where that is not the gap's own
   *   end, there are two gaps afterwards: one before the events and one after them.
   * @throws StorageError
   */
  fillGap(
    room: Room,
    position: number,
    events: readonly ReceivedEvent[],
    before = position,
  ): Promise<readonly Receipt[]> {
    if (events.length > maxEventsAtOnce) throw new RangeError(`${events.length} events at once are too many`);
    return this.#inHistory(room, async (receiving) => {
      const receipts: Receipt[] = [];
      for (const event of events) receipts.push(await receiving.add(event, "history"));
      await this.#placeInGap(room, receiving, position, before);
      return receipts;
    });
  }

  /** Gives a gap up: nothing is missing there, or there is no place for it. @throws StorageError */
  closeGap(room: Room, position: number): Promise<void> {
    return this.#inHistory(room, ({ batch }) => {
      batch.filledGap = { position, left: [] };
      return Promise.resolve();
    });
  }

  /** Commits what changes nothing of what the room is now. */
  #inHistory<Result>(room: Room, work: (receiving: ReceivedBatch) => Promise<Result>): Promise<Result> {
    const { queues, heads, commits } = this.#parts;
    return queues.run(room.roomNid, async () => {
      await heads.idle(room.roomNid);
      const receiving = new ReceivedBatch(this.#parts, new HeadDraft(await heads.load(room)));
      try {
        const result = await work(receiving);
        // Inside the queue, so that nobody else fills the same gap meanwhile.
        await commits.commit(receiving.batch);
        return result;
      } catch (error) {
        commits.discard(receiving.batch);
        throw error;
      }
    });
  }

  /** Gives new events their positions, and finds what follows missing events now. */
  async #placeInGap(
    { roomNid }: Room,
    receiving: ReceivedBatch,
    position: number,
    before: number,
  ): Promise<void> {
    const { events } = receiving.batch;
    const shown = events.filter(({ inTimeline }) => inTimeline).length;
    const first = before - shown;
    let next = first;
    const inside: number[] = [];
    for (const [index, event] of events.entries()) {
      inside.push(...(event.gapFollowers ?? []));
      if (event.inTimeline) events[index] = { ...event, historyPosition: next++ };
    }
    const after: number[] = [];
    for (const eventNid of await this.#parts.eventStore.gapFollowers(roomNid, position)) {
      const { prevEventIds } = await this.#parts.events.roomEvent(eventNid);
      if (!(await receiving.hasAllPrevs(prevEventIds))) after.push(eventNid);
    }
    const left =
      before === position
        ? [{ position: first, followers: [...inside, ...after] }]
        : [
            { position: first, followers: inside },
            { position, followers: after },
          ];
    receiving.batch.filledGap = { position, left };
  }

  async #begin(room: Room, events: readonly ReceivedEvent[], placement: Placement): Promise<ReceiptUnderWay> {
    const { heads, commits } = this.#parts;
    // What is on its way has its state in no snapshot that could be read from storage.
    await heads.idle(room.roomNid);
    const head = await heads.load(room);
    const receiving = new ReceivedBatch(this.#parts, new HeadDraft(head));
    const { batch } = receiving;
    try {
      const receipts: Receipt[] = [];
      for (const event of events) receipts.push(await receiving.add(event, placement));
      // States that were worked out for events that have to wait are kept: they are asked for again.
      if (batch.events.length + batch.snapshots.length === 0) return { receipts, done: Promise.resolve([]) };
      if (!heads.advance(head, batch.draft)) throw new MatrixError("M_UNKNOWN", "the room's head has moved");
      const { length: ends } = batch.draft.extremities;
      if (ends > 1) this.#forked?.(room, ends);
      return { receipts, done: commits.track(batch) };
    } catch (error) {
      commits.discard(batch);
      throw error;
    }
  }
}
