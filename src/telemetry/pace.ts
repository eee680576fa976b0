import { setImmediate } from "node:timers/promises";
import type { Clock } from "./clock.ts";

/** A stretch of work longer than this keeps other requests waiting. */
const maxStretchMs = 4;

/** Lets long work pause now and then, so that the event loop serves others in between. */
export class Pace {
  readonly #clock: Clock;
  #startMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startMs = clock.monotonicMs();
  }

  /** To be awaited between steps that take well under a millisecond each. */
  async breathe(): Promise<void> {
    if (this.#clock.monotonicMs() - this.#startMs < maxStretchMs) return;
    await setImmediate();
    this.#startMs = this.#clock.monotonicMs();
  }
}
