import { DelayedWrites } from "../../storage/delayed-writes.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";

/** A store of files, which are named by IDs of some kind. */
export interface TouchedFiles<Id> {
  touch(ids: readonly Id[], accessTs: number): Promise<void>;
}

/** Notes which files are asked for, and writes it down now and then instead of with each download. */
export class MediaAccess<Id = string> implements AsyncDisposable {
  readonly #seen: DelayedWrites<Id>;

  constructor(store: TouchedFiles<Id>, clock: Clock, log: Logger) {
    this.#seen = new DelayedWrites({
      write: (ids) => store.touch(ids, clock.nowMs()),
      delayMs: 5 * 60_000,
      maxWaiting: 1_000,
      clock,
      log,
      failure: "when media were last asked for was not stored",
    });
  }

  /** @param key names the same file as the ID does, as text */
  saw(key: string, id: Id): void {
    this.#seen.add(key, id);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#seen[Symbol.asyncDispose]();
  }
}
