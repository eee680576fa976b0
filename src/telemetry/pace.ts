import type { Clock } from "./clock.ts";

/** How long paced work may keep the event loop from everything else. */
const maxTurnMs = 4;

/**
 * Lets long work of many requests share the event loop with everything else: together they take a few milliseconds of
 * each turn of the loop, and then wait in line for a turn each.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #turnStartMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be awaited between steps that take well under a millisecond each. */
  breathe(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#turnStartMs === undefined) this.#begin(nowMs);
    else if (nowMs - this.#turnStartMs >= maxTurnMs) return this.#nextTurn();
    return Promise.resolve();
  }

  #nextTurn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #begin(nowMs: number): void {
    this.#turnStartMs = nowMs;
    setImmediate(() => this.#end());
  }

  #end(): void {
    this.#turnStartMs = undefined;
    const next = this.#waiting.shift();
    if (!next) return;
    this.#begin(this.#clock.monotonicMs());
    next();
  }
}
