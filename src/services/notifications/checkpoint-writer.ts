import type { UnreadCheckpoint, UnreadCheckpointStore } from "../../storage/unread-checkpoints.ts";
import type { Clock, Timer } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";

const delayMs = 5_000;
/** So many are written at once; reaching it writes them early. */
const maxWaiting = 500;

/** Writes checkpoints in batches. Whoever makes them does not wait, and a lost one costs time only. */
export class CheckpointWriter implements AsyncDisposable {
  readonly #store: Pick<UnreadCheckpointStore, "save">;
  readonly #clock: Clock;
  readonly #log: Logger;
  #waiting: UnreadCheckpoint[] = [];
  #timer: Timer | undefined;

  constructor(store: Pick<UnreadCheckpointStore, "save">, clock: Clock, log: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  save(checkpoint: UnreadCheckpoint): void {
    this.#waiting.push(checkpoint);
    if (this.#waiting.length >= maxWaiting) void this.#flush();
    else this.#timer ??= this.#clock.setTimer(delayMs, () => void this.#flush());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#flush();
  }

  async #flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    const checkpoints = this.#waiting;
    this.#waiting = [];
    if (checkpoints.length === 0) return;
    try {
      await this.#store.save(checkpoints);
    } catch (error) {
      this.#log.warn(
        { err: error, count: checkpoints.length },
        "checkpoints of unread counts were not stored",
      );
    }
  }
}
