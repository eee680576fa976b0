import { MatrixError } from "../protocol/matrix-error.ts";

/** Work that may wait for one room. */
const maxWaiting = 2_000;

/** Runs the work of one room in order, and of different rooms side by side: no room waits for another. */
export class RoomQueues<Key> {
  readonly #tails = new Map<Key, { tail: Promise<unknown>; waiting: number }>();

  /** @throws MatrixError M_LIMIT_EXCEEDED when the room has too much to do */
  run<Result>(key: Key, work: () => Promise<Result>): Promise<Result> {
    const queue = this.#tails.get(key) ?? { tail: Promise.resolve(), waiting: 0 };
    if (queue.waiting >= maxWaiting) {
      return Promise.reject(
        new MatrixError("M_LIMIT_EXCEEDED", "Too much is being sent to this room", { retry_after_ms: 1_000 }),
      );
    }
    this.#tails.set(key, queue);
    queue.waiting++;
    const result = queue.tail.then(work);
    queue.tail = result.then(
      () => this.#done(key, queue),
      () => this.#done(key, queue),
    );
    return result;
  }

  #done(key: Key, queue: { waiting: number }): void {
    queue.waiting--;
    if (queue.waiting === 0) this.#tails.delete(key);
  }
}
