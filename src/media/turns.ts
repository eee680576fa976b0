import { MatrixError } from "../protocol/matrix-error.ts";
import type { Clock } from "../telemetry/clock.ts";

export interface TurnLimits {
  readonly maxAtWork: number;
  readonly maxWaiting: number;
  readonly maxWaitMs: number;
}

interface Waiting {
  readonly start: () => void;
}

/** Lets a few pieces of heavy work run at a time, and a bounded number wait for a bounded time. */
export class Turns {
  readonly #limits: TurnLimits;
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiting>();
  #atWork = 0;

  constructor(limits: TurnLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** @throws MatrixError M_LIMIT_EXCEEDED when too much is waiting, or for too long. */
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
    if (this.#waiting.size >= this.#limits.maxWaiting) return Promise.reject(busy());
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        start: () => {
          timer.cancel();
          resolve();
        },
      };
      const timer = this.#clock.setTimer(this.#limits.maxWaitMs, () => {
        this.#waiting.delete(waiting);
        reject(busy());
      });
      this.#waiting.add(waiting);
    });
  }

  #next(): void {
    const [first] = this.#waiting;
    if (!first) {
      this.#atWork -= 1;
      return;
    }
    this.#waiting.delete(first);
    first.start();
  }
}

function busy(): MatrixError {
  return new MatrixError(
    "M_LIMIT_EXCEEDED",
    "The server is busy with other work of this kind: try again in a moment",
    {
      retry_after_ms: 5_000,
    },
  );
}
