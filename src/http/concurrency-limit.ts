import { MatrixError } from "../protocol/matrix-error.ts";

const retryAfterMs = 1_000;

/** Bounds how many answers or bodies one user or address may have under way: each holds memory, or an open file. */
export class ConcurrencyLimit {
  readonly #maxPerKey: number;
  readonly #underWay = new Map<string, number>();

  constructor(maxPerKey: number) {
    this.#maxPerKey = maxPerKey;
  }

  /**
   * Counts one until what is returned is called.
   * @throws MatrixError M_LIMIT_EXCEEDED
   */
  enter(key: string): () => void {
    const count = this.#underWay.get(key) ?? 0;
    if (count >= this.#maxPerKey) {
      throw new MatrixError("M_LIMIT_EXCEEDED", "Too many files at once: wait until some are done", {
        retry_after_ms: retryAfterMs,
      });
    }
    this.#underWay.set(key, count + 1);
    let isLeft = false;
    return () => {
      if (isLeft) return;
      isLeft = true;
      this.#leave(key);
    };
  }

  #leave(key: string): void {
    const left = (this.#underWay.get(key) ?? 0) - 1;
    if (left > 0) this.#underWay.set(key, left);
    else this.#underWay.delete(key);
  }
}
