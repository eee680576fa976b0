import type { UserDirectoryStore } from "../../storage/user-directory.ts";
import type { StreamChange } from "../../storage/streams.ts";
import type { Clock, Timer } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";

export interface RemoteUserFollowerParts {
  readonly store: Pick<UserDirectoryStore, "followRemote">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What comes in so short a time is taken up together. Nobody waits for it. */
const delayMs = 1_000;
const retryMs = 30_000;
/** In one transaction: other writes wait for no more than this. */
const membersAtOnce = 200;

/** Follows the one stream and keeps users of other servers in the user directory, in the background. */
export class RemoteUserFollower implements AsyncDisposable {
  readonly #parts: RemoteUserFollowerParts;
  #timer: Timer | undefined;
  #work: Promise<void> | undefined;
  /** Whether something has come since the work began. */
  #hasMore = false;
  #closed = false;

  /** What came while the server was not running is taken up first. */
  constructor(parts: RemoteUserFollowerParts) {
    this.#parts = parts;
    this.#later(delayMs);
  }

  /** To be told of each commit. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    if (this.#hasMore || !changes.some(({ stream }) => stream === "timeline" || stream === "membership"))
      return;
    this.#hasMore = true;
    this.#later(delayMs);
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#work;
  }

  #later(waitMs: number): void {
    if (this.#closed || this.#work) return;
    this.#timer ??= this.#parts.clock.setTimer(waitMs, () => {
      this.#timer = undefined;
      this.#work = this.#follow();
    });
  }

  async #follow(): Promise<void> {
    const { store, log } = this.#parts;
    this.#hasMore = false;
    let waitMs = delayMs;
    try {
      while (!this.#closed && (await store.followRemote(membersAtOnce)));
    } catch (error) {
      log.warn({ err: error }, "the user directory did not follow users of other servers");
      this.#hasMore = true;
      waitMs = retryMs;
    }
    this.#work = undefined;
    if (this.#hasMore) this.#later(waitMs);
  }
}
