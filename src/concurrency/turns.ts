import { MatrixError } from "../protocol/matrix-error.ts";
import type { Clock } from "../telemetry/clock.ts";

export interface TurnLimits {
  readonly maxAtWork: number;
  /** Whoever comes when so many wait is refused. Left out where no more can come than there is room for. */
  readonly maxWaiting?: number;
  /** Whoever has waited for so long is refused. Left out where all work has a time-out of its own. */
  readonly maxWaitMs?: number;
  /** What whoever is refused is told. */
  readonly refusal?: string;
}

const retryAfterMs = 5_000;

/** Lets only so much work run at the same time; what is more waits for its turn, first come, first served. */
export class Turns {
  readonly #limits: TurnLimits;
  readonly #clock: Clock;
  /** What starts each of those in line. */
  readonly #waiting = new Set<() => void>();
  #atWork = 0;

  constructor(limits: TurnLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** @throws MatrixError M_LIMIT_EXCEEDED when too much is waiting, or for too long; what the work throws */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#atWork < this.#limits.maxAtWork) this.#atWork += 1;
    else await this.#turn();
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  #turn(): Promise<void> {
    const { maxWaiting = Infinity, maxWaitMs } = this.#limits;
    if (this.#waiting.size >= maxWaiting) return Promise.reject(this.#refusal());
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (maxWaitMs === undefined) {
      this.#waiting.add(resolve);
      return promise;
    }
    const timer = this.#clock.setTimer(maxWaitMs, () => {
      this.#waiting.delete(start);
      reject(this.#refusal());
    });
    const start = () => {
      timer.cancel();
      resolve();
    };
    this.#waiting.add(start);
    return promise;
  }

  /** The place goes to the next in line: if it were free in between, somebody who has just come could take it too. */
  #next(): void {
    const [first] = this.#waiting;
    if (!first) {
      this.#atWork -= 1;
      return;
    }
    this.#waiting.delete(first);
    first();
  }

  #refusal(): MatrixError {
    const { refusal = "The server is busy with other work of this kind: try again in a moment" } =
      this.#limits;
    return new MatrixError("M_LIMIT_EXCEEDED", refusal, { retry_after_ms: retryAfterMs });
  }
}
