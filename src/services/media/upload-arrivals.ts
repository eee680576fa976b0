import type { Clock } from "../../telemetry/clock.ts";

/** Downloads that may wait for an upload at a time; further ones are answered at once. */
const maxWaiting = 10_000;

/** Lets downloads wait for uploads that have been announced. */
export class UploadArrivals {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Set<() => void>>();
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be called when an upload is complete. */
  arrived(mediaId: string): void {
    for (const wake of this.#waiting.get(mediaId) ?? []) wake();
  }

  /** Waits until an upload has arrived, but no longer than `waitMs` or until `signal` says that nobody waits any more. */
  wait(mediaId: string, waitMs: number, signal: AbortSignal): Promise<void> {
    if (this.#count >= maxWaiting || waitMs <= 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        timer.cancel();
        signal.removeEventListener("abort", wake);
        this.#remove(mediaId, wake);
        resolve();
      };
      const timer = this.#clock.setTimer(waitMs, wake);
      signal.addEventListener("abort", wake);
      this.#add(mediaId, wake);
    });
  }

  #add(mediaId: string, wake: () => void): void {
    this.#count += 1;
    const waiting = this.#waiting.get(mediaId);
    if (waiting) waiting.add(wake);
    else this.#waiting.set(mediaId, new Set([wake]));
  }

  #remove(mediaId: string, wake: () => void): void {
    this.#count -= 1;
    const waiting = this.#waiting.get(mediaId);
    waiting?.delete(wake);
    if (waiting?.size === 0) this.#waiting.delete(mediaId);
  }
}
