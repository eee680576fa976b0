import { DelayedWrites } from "../../storage/delayed-writes.ts";
import type { MediaStore } from "../../storage/media.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";

/** Notes which media are asked for, and writes it down now and then instead of with each download. */
export class MediaAccess implements AsyncDisposable {
  readonly #seen: DelayedWrites<string>;

  constructor(store: MediaStore, clock: Clock, log: Logger) {
    this.#seen = new DelayedWrites({
      write: (mediaIds) => store.touch(mediaIds, clock.nowMs()),
      delayMs: 5 * 60_000,
      maxWaiting: 1_000,
      clock,
      log,
      failure: "when media were last asked for was not stored",
    });
  }

  saw(mediaId: string): void {
    this.#seen.add(mediaId, mediaId);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#seen[Symbol.asyncDispose]();
  }
}
