import type { Clock, Timer } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";

export interface DelayedWritesParts<Item> {
  readonly write: (items: readonly Item[]) => Promise<void>;
  readonly delayMs: number;
  /** So many are written at once; reaching it writes them early. */
  readonly maxWaiting: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** What the log says of a failed write: nobody else hears of it, since nobody waits. */
  readonly failure: string;
}

/**
 * Writes that need not be made at once, and do no harm when a crash loses them: they are made together, now and then. Of
 * several with the same key the last counts.
 */
export class DelayedWrites<Item> implements AsyncDisposable {
  readonly #parts: DelayedWritesParts<Item>;
  #waiting = new Map<string, Item>();
  #timer: Timer | undefined;

  constructor(parts: DelayedWritesParts<Item>) {
    this.#parts = parts;
  }

  add(key: string, item: Item): void {
    const { clock, delayMs, maxWaiting } = this.#parts;
    this.#waiting.set(key, item);
    if (this.#waiting.size >= maxWaiting) void this.flush();
    else this.#timer ??= clock.setTimer(delayMs, () => void this.flush());
  }

  /** What is still to be written under a key. */
  waiting(key: string): Item | undefined {
    return this.#waiting.get(key);
  }

  /** Writes everything that waits. A failure is logged. */
  async flush(): Promise<void> {
    const { write, log, failure } = this.#parts;
    this.#timer?.cancel();
    this.#timer = undefined;
    const items = [...this.#waiting.values()];
    this.#waiting = new Map();
    if (items.length === 0) return;
    try {
      await write(items);
    } catch (error) {
      log.warn({ err: error, count: items.length }, failure);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.flush();
  }
}
