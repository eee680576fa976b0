import type { Clock } from "./clock.ts";
import type { EndedRequest, Observed } from "./observations.ts";

/** What was answered in one interval. */
export interface TrafficInterval {
  /** When it began, in milliseconds since the epoch. */
  readonly ts: number;
  readonly succeeded: number;
  /** With a status from 400 to 499. */
  readonly refused: number;
  readonly failed: number;
  /** Milliseconds within which half of them were answered, and 95 of 100; `null` when there were none. Rounded up. */
  readonly medianMs: number | null;
  readonly slowMs: number | null;
}

export const trafficIntervalMs = 5_000;
/** Ten minutes. */
const keptIntervals = 120;
const unaskedMs = 60_000;
/** Upper bounds of the times that are told apart, in milliseconds. */
const boundsMs = [
  0.5, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1_000, 2_000, 5_000,
];
const beyondMs = 10_000;

class Counts {
  readonly ts: number;
  succeeded = 0;
  refused = 0;
  failed = 0;
  /** How many took up to each bound, and longer than all of them. */
  readonly #times = new Uint32Array(boundsMs.length + 1);
  #timed = 0;

  constructor(ts: number) {
    this.ts = ts;
  }

  add({ status, durationMs, search }: EndedRequest): void {
    if (status < 400) this.succeeded += 1;
    else if (status < 500) this.refused += 1;
    else this.failed += 1;
    // Who wants to wait for news decides how long that takes.
    if (search.includes("timeout")) return;
    const place = boundsMs.findIndex((boundMs) => durationMs <= boundMs);
    const index = place === -1 ? boundsMs.length : place;
    this.#times[index] = (this.#times[index] ?? 0) + 1;
    this.#timed += 1;
  }

  interval(): TrafficInterval {
    const { ts, succeeded, refused, failed } = this;
    return { ts, succeeded, refused, failed, medianMs: this.#within(0.5), slowMs: this.#within(0.95) };
  }

  #within(share: number): number | null {
    if (this.#timed === 0) return null;
    let left = this.#timed * share;
    const index = this.#times.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    return boundsMs[index] ?? beyondMs;
  }
}

/** Counts requests while somebody watches: it begins when it is asked, and ends when it has not been for a minute. */
export class Traffic {
  readonly #requests: Observed<EndedRequest>;
  readonly #clock: Clock;
  #counts: Counts[] = [];
  #following: Disposable | undefined;
  #askedMs = 0;

  constructor(requests: Observed<EndedRequest>, clock: Clock) {
    this.#requests = requests;
    this.#clock = clock;
  }

  /** The whole intervals since it was asked first, oldest first; at most ten minutes of them. */
  watch(): TrafficInterval[] {
    this.#askedMs = this.#clock.monotonicMs();
    this.#following ??= this.#requests.follow((request) => this.#count(request));
    const now = this.#now();
    return this.#counts.filter((counts) => counts !== now).map((counts) => counts.interval());
  }

  #count(request: EndedRequest): void {
    if (this.#clock.monotonicMs() - this.#askedMs <= unaskedMs) {
      this.#now().add(request);
      return;
    }
    this.#following?.[Symbol.dispose]();
    this.#following = undefined;
    this.#counts = [];
  }

  /** Those of the interval that is under way. Intervals in which there was nothing are there too. */
  #now(): Counts {
    const ts = Math.floor(this.#clock.nowMs() / trafficIntervalMs) * trafficIntervalMs;
    let last = this.#counts.at(-1) ?? this.#begin(ts);
    // After a clock that has jumped it begins anew.
    if (ts < last.ts || ts - last.ts > keptIntervals * trafficIntervalMs) {
      this.#counts = [];
      last = this.#begin(ts);
    }
    while (last.ts < ts) last = this.#begin(last.ts + trafficIntervalMs);
    return last;
  }

  #begin(ts: number): Counts {
    const counts = new Counts(ts);
    this.#counts.push(counts);
    if (this.#counts.length > keptIntervals) this.#counts.shift();
    return counts;
  }
}
