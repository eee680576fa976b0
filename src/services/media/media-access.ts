import type { MediaStore } from "../../storage/media.ts";
import type { Clock, Timer } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";

const flushIntervalMs = 5 * 60_000;
/** So many are written at once; reaching it writes them early. */
const maxWaiting = 1_000;

/** Notes which media are asked for, and writes it down now and then instead of with each download. */
export class MediaAccess implements AsyncDisposable {
  readonly #store: MediaStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  #waiting = new Set<string>();
  #timer: Timer | undefined;

  constructor(store: MediaStore, clock: Clock, log: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  saw(mediaId: string): void {
    this.#waiting.add(mediaId);
    if (this.#waiting.size >= maxWaiting) void this.flush();
    else this.#timer ??= this.#clock.setTimer(flushIntervalMs, () => void this.flush());
  }

  /** Writes down what was noted. A failure is logged: these notes are worth no failed request. */
  async flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    const mediaIds = [...this.#waiting];
    this.#waiting = new Set();
    if (mediaIds.length === 0) return;
    try {
      await this.#store.touch(mediaIds, this.#clock.nowMs());
    } catch (error) {
      this.#log.warn({ err: error, count: mediaIds.length }, "when media were last asked for was not stored");
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.flush();
  }
}
