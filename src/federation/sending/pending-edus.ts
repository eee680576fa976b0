import type { Clock } from "../../telemetry/clock.ts";
import type { Edu } from "./transaction-text.ts";

const maxPending = 1_000;
/** What is worth nothing any more when it has waited so long. */
const lifetimesMs: ReadonlyMap<string, number> = new Map([["m.typing", 30_000]]);

interface PendingEdu {
  readonly edu: Edu;
  readonly untilMs: number;
}

/** EDUs that wait to be sent to one server: of several with one key the last. */
export class PendingEdus {
  readonly #clock: Clock;
  readonly #edus = new Map<string, PendingEdu>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#edus.size;
  }

  /** When there are too many, those go that have waited longest. */
  add(key: string, edu: Edu): void {
    const lifetimeMs = lifetimesMs.get(edu.type) ?? Number.POSITIVE_INFINITY;
    this.#edus.delete(key);
    this.#edus.set(key, { edu, untilMs: this.#clock.monotonicMs() + lifetimeMs });
    const [oldest] = this.#edus.keys();
    if (this.#edus.size > maxPending && oldest !== undefined) this.#edus.delete(oldest);
  }

  /** Takes the oldest, at most so many. */
  take(limit: number): Edu[] {
    const nowMs = this.#clock.monotonicMs();
    const taken: Edu[] = [];
    for (const [key, { edu, untilMs }] of this.#edus) {
      if (taken.length >= limit) break;
      this.#edus.delete(key);
      if (untilMs > nowMs) taken.push(edu);
    }
    return taken;
  }

  clear(): void {
    this.#edus.clear();
  }
}
