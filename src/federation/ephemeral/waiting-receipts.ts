import type { Clock, Timer } from "../../telemetry/clock.ts";

/** A receipt as it came, of a user who is in the room. */
export interface WaitingReceipt {
  readonly userNid: number;
  readonly thread: string;
  readonly eventIds: readonly string[];
  readonly ts: number;
}

interface WaitingRoom {
  /** The last of each user and thread, the oldest first. */
  readonly receipts: Map<string, WaitingReceipt>;
  retry: Timer | undefined;
}

/** An event that does not come within this time is not waited for. */
const maxWaitMs = 5 * 60_000;
const maxRooms = 500;
const maxPerRoom = 200;
/** Several events that come one after the other are looked for together. */
const retryDelayMs = 200;

/** Receipts whose events have not come yet. It lives in memory: a receipt that is lost is made up for by the next. */
export class WaitingReceipts implements Disposable {
  readonly #clock: Clock;
  readonly #retry: (roomNid: number, receipts: readonly WaitingReceipt[]) => void;
  readonly #rooms = new Map<number, WaitingRoom>();
  /** How long each may wait, also when it is tried again meanwhile. */
  readonly #untilMs = new WeakMap<WaitingReceipt, number>();

  /** @param retry is called with receipts whose events may have come */
  constructor(clock: Clock, retry: (roomNid: number, receipts: readonly WaitingReceipt[]) => void) {
    this.#clock = clock;
    this.#retry = retry;
  }

  add(roomNid: number, receipt: WaitingReceipt): void {
    const nowMs = this.#clock.monotonicMs();
    const untilMs = this.#untilMs.get(receipt) ?? nowMs + maxWaitMs;
    if (untilMs <= nowMs) return;
    const room = this.#rooms.get(roomNid) ?? { receipts: new Map(), retry: undefined };
    this.#rooms.set(roomNid, room);
    const key = `${receipt.userNid} ${receipt.thread}`;
    const known = room.receipts.get(key);
    // What came while this one was tried is later.
    if (known && (this.#untilMs.get(known) ?? 0) > untilMs) return;
    this.#untilMs.set(receipt, untilMs);
    room.receipts.delete(key);
    room.receipts.set(key, receipt);
    const [oldest] = room.receipts.keys();
    if (room.receipts.size > maxPerRoom && oldest !== undefined) room.receipts.delete(oldest);
    const [oldestRoom] = this.#rooms.keys();
    if (this.#rooms.size > maxRooms && oldestRoom !== undefined) this.#forget(oldestRoom);
  }

  /** To be called when a room has got events. */
  eventsCame(roomNid: number): void {
    const room = this.#rooms.get(roomNid);
    if (!room) return;
    room.retry ??= this.#clock.setTimer(retryDelayMs, () => {
      this.#forget(roomNid);
      this.#retry(roomNid, [...room.receipts.values()]);
    });
  }

  [Symbol.dispose](): void {
    for (const roomNid of this.#rooms.keys()) this.#forget(roomNid);
  }

  #forget(roomNid: number): void {
    this.#rooms.get(roomNid)?.retry?.cancel();
    this.#rooms.delete(roomNid);
  }
}
