import { withinTime } from "../concurrency/within-time.ts";
import type { Clock } from "./clock.ts";

export interface ReadinessParts {
  /** Resolves once a write of nothing has been through the writer, as every answer to a write is. */
  readonly write: () => Promise<unknown>;
  /** Writes that wait for the next commit. */
  readonly waitingWrites: () => number;
  readonly isStopping: () => boolean;
  readonly clock: Clock;
}

const maxWaitMs = 5_000;
/** Half of what is refused: by then each waits for seconds. */
const manyWrites = 10_000;

/** Whether the server can serve requests. */
export class Readiness {
  readonly #parts: ReadinessParts;
  /** Whoever asks while somebody else does gets the same answer: asking costs nothing, however often it is done. */
  #asking: Promise<string | undefined> | undefined;

  constructor(parts: ReadinessParts) {
    this.#parts = parts;
  }

  /** What keeps the server from serving requests; `undefined` for nothing. */
  async obstacle(): Promise<string | undefined> {
    if (this.#parts.isStopping()) return "stopping";
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(): Promise<string | undefined> {
    const { write, waitingWrites, clock } = this.#parts;
    if (waitingWrites() >= manyWrites) return "too many writes are waiting";
    const written = write().then(
      () => undefined,
      () => "the database cannot be written",
    );
    return await withinTime(clock, maxWaitMs, written, "the database is too slow");
  }
}
