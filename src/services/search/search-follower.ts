import { withinTime } from "../../concurrency/within-time.ts";
import type { RoomStore } from "../../storage/rooms.ts";
import type { SearchIndex } from "../../storage/search-index.ts";
import type { StreamChange } from "../../storage/streams.ts";
import type { Clock, Timer } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";

export interface SearchFollowerParts {
  readonly index: SearchIndex;
  readonly rooms: Pick<RoomStore, "withEventsAfter">;
  /** The newest position. */
  readonly position: () => number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What comes in so short a time is indexed together, which is cheaper than one by one. A search does not wait for it. */
const delayMs = 10_000;
/** A start has better things to do at first. */
const startDelayMs = 2_000;
const retryMs = 30_000;
/** Events that are indexed in one transaction: a search that waits for what is new waits for no more than this first. */
const eventsAtOnce = 1_000;
const roomsAtOnce = 500;
/** How often it is stored that everything has been indexed: more than this is looked at again after a crash. */
const progressMs = 10_000;

/**
 * Follows the one stream and has rooms indexed in which something is new: in the background, a chunk at a time, so that
 * sending waits for nothing. How far each room has been indexed is stored with the index; after a crash the rooms with
 * later events are looked at again.
 */
export class SearchFollower implements AsyncDisposable {
  readonly #parts: SearchFollowerParts;
  /** Rooms with something new, and up to which position. Bounded by the rooms there are. */
  #behind = new Map<number, number>();
  /** Rooms that somebody who searches waits for come first. They wait for a position: more may come meanwhile. */
  readonly #urgent = new Map<number, number>();
  #ready: Promise<void> | undefined;
  #work: Promise<void> | undefined;
  /** Of the work, the part that is under way. */
  #step: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  #reachedMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(parts: SearchFollowerParts) {
    this.#parts = parts;
    this.#timer = parts.clock.setTimer(startDelayMs, () => this.#takeUp());
  }

  /** To be told of each commit before its position becomes visible. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { stream, nid, position } of changes)
      if (stream === "timeline") this.#behind.set(nid, position);
    if (this.#behind.size > 0 && !this.#work && !this.#closed) {
      this.#timer ??= this.#parts.clock.setTimer(delayMs, () => this.#run());
    }
  };

  /**
   * Waits until what is new in some rooms has been indexed, for so long at most. With very much to index, such as after
   * the index was thrown away, a search finds what is there so far.
   */
  async catchUp(roomNids: readonly number[], timeoutMs: number): Promise<void> {
    await this.#begun();
    const deadlineMs = this.#parts.clock.monotonicMs() + timeoutMs;
    const wanted = roomNids.filter((roomNid) => this.#behind.has(roomNid));
    for (const roomNid of wanted) this.#urgent.set(roomNid, this.#behind.get(roomNid) ?? 0);
    const isBehind = () => wanted.some((roomNid) => this.#urgent.has(roomNid));
    while (isBehind() && this.#parts.clock.monotonicMs() < deadlineMs && !this.#closed) {
      this.#run();
      await this.#orTimeout(this.#step, deadlineMs);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#work;
  }

  /** Where nothing has ever been written there is nothing to take up, and no worker to begin for it. */
  #takeUp(): void {
    this.#timer = undefined;
    if (this.#parts.position() > 0) this.#run();
  }

  /** The index is ready, and it is known which rooms are behind. */
  #begun(): Promise<void> {
    this.#ready ??= this.#begin().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  async #begin(): Promise<void> {
    const { index, rooms, position } = this.#parts;
    const now = position();
    const { upTo, unfinished } = await index.begin(now);
    const behind = upTo >= now ? [] : await rooms.withEventsAfter(upTo);
    for (const roomNid of [...unfinished, ...behind]) {
      if (!this.#behind.has(roomNid)) this.#behind.set(roomNid, now);
    }
  }

  #run(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#closed || this.#work) return;
    this.#step = this.#begun();
    this.#work = this.#doWork().finally(() => {
      this.#work = undefined;
      // What has come while the work was ending.
      this.committed(0, []);
    });
  }

  async #doWork(): Promise<void> {
    try {
      await this.#step;
      // No await between these: every room with events up to the position is part of the round.
      const upTo = this.#parts.position();
      const round = new Set(this.#behind.keys());
      while (round.size > 0 && !this.#closed) {
        this.#step = this.#indexChunk(round);
        await this.#step;
      }
      if (this.#closed) return;
      this.#step = this.#noteProgress(upTo);
      await this.#step;
      await this.#tidy();
    } catch (error) {
      if (this.#closed) return;
      this.#parts.log.error({ err: error }, "messages could not be indexed for search; tried again later");
      this.#urgent.clear();
      this.#timer = this.#parts.clock.setTimer(retryMs, () => this.#run());
    }
  }

  async #indexChunk(round: Set<number>): Promise<void> {
    const urgent = [...this.#urgent.keys()].filter((roomNid) => this.#behind.has(roomNid));
    const others = round.values().take(roomsAtOnce);
    const chosen = [...new Set([...urgent, ...others])].slice(0, roomsAtOnce);
    const rooms = chosen.map((roomNid) => ({ roomNid, upTo: this.#behind.get(roomNid) ?? 0 }));
    const done = new Set(await this.#parts.index.indexRooms(rooms, eventsAtOnce));
    for (const { roomNid, upTo } of rooms) {
      if (!done.has(roomNid)) continue;
      round.delete(roomNid);
      if ((this.#urgent.get(roomNid) ?? 0) <= upTo) this.#urgent.delete(roomNid);
      if (this.#behind.get(roomNid) === upTo) this.#behind.delete(roomNid);
    }
  }

  async #noteProgress(upTo: number): Promise<void> {
    const { clock, index } = this.#parts;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#reachedMs < progressMs) return;
    this.#reachedMs = nowMs;
    await index.reached(upTo);
  }

  /** Somebody who searches waits for one step at most. */
  async #tidy(): Promise<void> {
    for (let isDone = false; !isDone && !this.#closed && this.#urgent.size === 0; ) {
      const step = this.#parts.index.tidy();
      this.#step = step.then(() => undefined);
      isDone = await step;
    }
  }

  async #orTimeout(work: Promise<void>, deadlineMs: number): Promise<void> {
    const { clock } = this.#parts;
    const leftMs = Math.max(0, deadlineMs - clock.monotonicMs());
    const ended = work.catch(() => undefined);
    await withinTime(clock, leftMs, ended, undefined);
  }
}
