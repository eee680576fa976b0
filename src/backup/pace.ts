import type { Clock } from "../telemetry/clock.ts";

/** Shorter pauses are made up for later: a timer does not keep them anyway. */
const minPauseMs = 2;

/** Keeps work below so many bytes a second, so that a server beside it has the disk and the processor. */
export class Pace {
  readonly #bytesPerMs: number;
  readonly #clock: Clock;
  #dueMs = 0;

  constructor(bytesPerSecond: number, clock: Clock) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#clock = clock;
  }

  /** Counts bytes that have been worked on. @returns how long to pause before the next ones, in milliseconds */
  pauseAfter(bytes: number): number {
    const nowMs = this.#clock.monotonicMs();
    this.#dueMs = Math.max(nowMs, this.#dueMs) + bytes / this.#bytesPerMs;
    const pauseMs = this.#dueMs - nowMs;
    return pauseMs < minPauseMs ? 0 : pauseMs;
  }

  /** As `pauseAfter`, and pauses. */
  async spend(bytes: number): Promise<void> {
    const pauseMs = this.pauseAfter(bytes);
    if (pauseMs === 0) return;
    await new Promise<void>((resolve) => {
      this.#clock.setTimer(pauseMs, resolve);
    });
  }
}
