import type { Clock, Timer } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";

const intervalMs = 60 * 60 * 1000;

/** Something that takes away what nobody needs any more. What it does not get done waits for the next round. */
export interface Chore {
  /** For the log. */
  readonly name: string;
  readonly run: (nowTs: number) => Promise<void>;
}

/** Sees to the chores of the content repository, once an hour. */
export class MediaUpkeep implements AsyncDisposable {
  readonly #chores: readonly Chore[];
  readonly #clock: Clock;
  readonly #log: Logger;
  #timer: Timer | undefined;
  #round: Promise<void> = Promise.resolve();
  #closing = false;

  constructor(chores: readonly Chore[], clock: Clock, log: Logger) {
    this.#chores = chores;
    this.#clock = clock;
    this.#log = log;
  }

  start(): void {
    if (this.#closing) return;
    this.#timer = this.#clock.setTimer(intervalMs, () => {
      this.#round = this.tidy().then(() => this.start());
    });
  }

  /** One round. A chore that fails keeps no other from being done. */
  async tidy(): Promise<void> {
    for (const { name, run } of this.#chores) {
      if (this.#closing) return;
      try {
        await run(this.#clock.nowMs());
      } catch (error) {
        this.#log.error({ err: error, chore: name }, "media could not be tidied; the next round tries again");
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    this.#timer?.cancel();
    await this.#round;
  }
}
