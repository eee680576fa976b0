import { DelayedWrites } from "../../storage/delayed-writes.ts";
import type { UnreadCheckpoint, UnreadCheckpointStore } from "../../storage/unread-checkpoints.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";

/** Writes checkpoints in batches. Whoever makes them does not wait, and a lost one costs time only. */
export class CheckpointWriter implements AsyncDisposable {
  readonly #checkpoints: DelayedWrites<UnreadCheckpoint>;

  constructor(store: Pick<UnreadCheckpointStore, "save">, clock: Clock, log: Logger) {
    this.#checkpoints = new DelayedWrites({
      write: (checkpoints) => store.save(checkpoints),
      delayMs: 5_000,
      maxWaiting: 500,
      clock,
      log,
      failure: "checkpoints of unread counts were not stored",
    });
  }

  save(checkpoint: UnreadCheckpoint): void {
    this.#checkpoints.add(`${checkpoint.userNid} ${checkpoint.roomNid}`, checkpoint);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#checkpoints[Symbol.asyncDispose]();
  }
}
