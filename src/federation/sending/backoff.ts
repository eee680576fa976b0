import type { DestinationRow } from "../../storage/destinations.ts";
import type { Clock } from "../../telemetry/clock.ts";

const firstIntervalMs = 5_000;
const maxIntervalMs = 60 * 60 * 1000;
const factor = 3;

/** When a server that cannot be reached is tried again: later and later, until it is heard of. */
export class Backoff {
  readonly #clock: Clock;
  readonly #random: () => number;
  failingSinceTs: number | null;
  retryTs: number | null;
  retryIntervalMs: number;

  /** @param random from 0 to 1, so that servers which failed together are not tried together */
  constructor(
    clock: Clock,
    random: () => number,
    row?: Pick<DestinationRow, "failingSinceTs" | "retryTs" | "retryIntervalMs">,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.failingSinceTs = row?.failingSinceTs ?? null;
    this.retryTs = row?.retryTs ?? null;
    this.retryIntervalMs = row?.retryIntervalMs ?? 0;
  }

  /** How long to wait yet, in milliseconds. */
  get waitMs(): number {
    if (this.retryTs === null) return 0;
    // The wall clock may have jumped.
    return Math.min(Math.max(0, this.retryTs - this.#clock.nowMs()), this.retryIntervalMs);
  }

  failed(): void {
    const nowMs = this.#clock.nowMs();
    const next = this.retryIntervalMs === 0 ? firstIntervalMs : this.retryIntervalMs * factor;
    this.retryIntervalMs = Math.min(maxIntervalMs, Math.round(next * (0.8 + 0.4 * this.#random())));
    this.failingSinceTs ??= nowMs;
    this.retryTs = nowMs + this.retryIntervalMs;
  }

  /** @returns whether there was anything to end */
  ended(): boolean {
    if (this.failingSinceTs === null) return false;
    this.failingSinceTs = null;
    this.retryTs = null;
    this.retryIntervalMs = 0;
    return true;
  }
}
