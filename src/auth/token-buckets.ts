import { boundedCache } from "../cache/bounded-cache.ts";
import type { Clock } from "../telemetry/clock.ts";

export interface BucketSize {
  /** How much may be taken at once. */
  readonly burst: number;
  /** How fast it comes back. */
  readonly perSecond: number;
}

interface Bucket {
  level: number;
  atMs: number;
}

/** Beyond this many the least recently used bucket is forgotten, which is as if it were full. */
const maxBuckets = 50_000;

/** Token buckets of one size, one for each key. */
export class TokenBuckets {
  readonly #size: BucketSize;
  readonly #clock: Clock;
  readonly #buckets = boundedCache<string, Bucket>(maxBuckets);

  constructor(size: BucketSize, clock: Clock) {
    this.#size = size;
    this.#clock = clock;
  }

  /** Takes one. Returns 0, or how long to wait in milliseconds when the bucket is empty and nothing was taken. */
  take(key: string): number {
    const bucket = this.#filled(key);
    if (bucket.level < 1) return this.#waitMs(bucket);
    bucket.level -= 1;
    return 0;
  }

  /** Gives back what `take` took. */
  giveBack(key: string): void {
    const bucket = this.#filled(key);
    bucket.level = Math.min(this.#size.burst, bucket.level + 1);
  }

  /** How long until `take` would succeed, in milliseconds. */
  waitMs(key: string): number {
    return this.#waitMs(this.#filled(key));
  }

  #waitMs({ level }: Bucket): number {
    return level >= 1 ? 0 : Math.ceil(((1 - level) / this.#size.perSecond) * 1000);
  }

  #filled(key: string): Bucket {
    const nowMs = this.#clock.monotonicMs();
    const bucket = this.#buckets.get(key);
    if (!bucket) {
      const full = { level: this.#size.burst, atMs: nowMs };
      this.#buckets.set(key, full);
      return full;
    }
    const gained = ((nowMs - bucket.atMs) / 1000) * this.#size.perSecond;
    bucket.level = Math.min(this.#size.burst, bucket.level + gained);
    bucket.atMs = nowMs;
    return bucket;
  }
}
