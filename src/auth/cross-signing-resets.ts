import { boundedCache } from "../cache/bounded-cache.ts";
import type { Clock } from "../telemetry/clock.ts";

const allowedForMs = 10 * 60 * 1000;
const maxUsers = 10_000;

/**
 * Users who have agreed on an account page that a client replaces their cross-signing keys (client-server API, "OAuth
 * authentication"). In memory: after a restart one agrees anew.
 */
export class CrossSigningResets {
  readonly #clock: Clock;
  readonly #allowedUntilMs = boundedCache<number, number>(maxUsers);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  allow(userNid: number): void {
    this.#allowedUntilMs.set(userNid, this.#clock.monotonicMs() + allowedForMs);
  }

  /** Whether a user has agreed of late. */
  isAllowed(userNid: number): boolean {
    return (this.#allowedUntilMs.get(userNid) ?? -Infinity) > this.#clock.monotonicMs();
  }

  /** The keys have been replaced: another time needs another consent. */
  used(userNid: number): void {
    this.#allowedUntilMs.delete(userNid);
  }
}
