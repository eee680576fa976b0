import type { Clock, Timer } from "../telemetry/clock.ts";

/** Work in the background, of which one round runs at a time. */
export class Rounds implements AsyncDisposable {
  readonly #round: () => Promise<void>;
  readonly #clock: Clock;
  #running: Promise<void> | undefined;
  #again = false;
  #isClosed = false;
  #timer: Timer | undefined;

  /** @param round does what there is to do. It must not throw, and should end early once this is closed. */
  constructor(round: () => Promise<void>, clock: Clock) {
    this.#round = round;
    this.#clock = clock;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Begins a round, after whoever asks has done the rest of their work; another one after that which is under way. */
  begin(): void {
    if (this.#isClosed) return;
    this.#again = true;
    this.#running ??= this.#run();
  }

  /** Begins a round after a while, unless one is begun before. */
  beginIn(delayMs: number): void {
    this.#timer?.cancel();
    if (!this.#isClosed) this.#timer = this.#clock.setTimer(delayMs, () => this.begin());
  }

  /** The round that is under way is waited for; no other begins. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#running;
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    while (this.#again && !this.#isClosed) {
      this.#again = false;
      this.#timer?.cancel();
      await this.#round();
    }
    this.#running = undefined;
  }
}
