import type { Clock, Timer } from "../clock.ts";

interface WaitingTimer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** Time that passes when a test says so. */
export class ManualClock implements Clock {
  #elapsedMs = 0;
  readonly #startTs: number;
  readonly #timers = new Set<WaitingTimer>();

  constructor(startTs = 1_700_000_000_000) {
    this.#startTs = startTs;
  }

  nowMs(): number {
    return this.#startTs + this.#elapsedMs;
  }

  /** Begins at some moment, as a machine's does. */
  monotonicMs(): number {
    return 1_000_000 + this.#elapsedMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { dueMs: this.#elapsedMs + delayMs, callback };
    this.#timers.add(timer);
    const cancel = () => {
      this.#timers.delete(timer);
    };
    return { cancel, [Symbol.dispose]: cancel };
  }

  /** Timers that have neither fired nor been cancelled. */
  get waitingTimers(): number {
    return this.#timers.size;
  }

  /** Lets time pass; timers that become due fire in their order. */
  advance(durationMs: number): void {
    this.#elapsedMs += durationMs;
    const due = [...this.#timers].filter(({ dueMs }) => dueMs <= this.#elapsedMs);
    for (const timer of due.toSorted((a, b) => a.dueMs - b.dueMs)) {
      this.#timers.delete(timer);
      timer.callback();
    }
  }
}
