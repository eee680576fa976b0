import type { RateLimitClass } from "../api/endpoint.ts";
import { addressGroup } from "../auth/address-group.ts";
import type { Requester } from "../auth/requester.ts";
import { type BucketSize, TokenBuckets } from "../auth/token-buckets.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { Clock } from "../telemetry/clock.ts";

/** Bounds how often a user or an address may do something (client-server API, "Rate limiting"). */
export interface RateLimiter {
  /** Counts one request. @throws MatrixError M_LIMIT_EXCEEDED with `retry_after_ms`. */
  check(limit: RateLimitClass, requester: LimitedUser | undefined, address: string): void;
}

type LimitedUser = Pick<Requester, "userId" | "isUnlimited">;
type LimitedClass = Exclude<RateLimitClass, "none">;

/**
 * For each class what a user may do, or an address when nobody is signed in. A whole office may be behind one address,
 * so what an address may do is meant for many people; wrong passwords are counted apart (`auth/password-check.ts`).
 */
const sizes: Readonly<Record<LimitedClass, BucketSize>> = {
  default: { burst: 200, perSecond: 50 },
  login: { burst: 50, perSecond: 1 },
  // Beginning to sign in on a page: each is stored for a while, and a whole office may begin at nine o'clock.
  authorization: { burst: 500, perSecond: 5 },
  registration: { burst: 60, perSecond: 0.5 },
  message: { burst: 100, perSecond: 10 },
  join: { burst: 30, perSecond: 0.5 },
  invite: { burst: 50, perSecond: 0.5 },
  media: { burst: 200, perSecond: 20 },
  upload: { burst: 100, perSecond: 2 },
  // A room that is opened may show many links at once.
  "url-preview": { burst: 60, perSecond: 1 },
};

/** Token buckets, one for each class and user or address. */
export class BucketRateLimiter implements RateLimiter {
  readonly #buckets: Readonly<Record<LimitedClass, TokenBuckets>>;

  constructor(clock: Clock) {
    const buckets = Object.entries(sizes).map(([name, size]) => [name, new TokenBuckets(size, clock)]);
    this.#buckets = Object.fromEntries(buckets) as Record<LimitedClass, TokenBuckets>;
  }

  check(limit: RateLimitClass, requester: LimitedUser | undefined, address: string): void {
    if (limit === "none" || requester?.isUnlimited) return;
    const waitMs = this.#buckets[limit].take(requester?.userId ?? addressGroup(address));
    if (waitMs === 0) return;
    throw new MatrixError("M_LIMIT_EXCEEDED", "Too many requests: wait before the next one", {
      retry_after_ms: waitMs,
    });
  }
}

/** For tests and benchmarks. */
export const unlimited: RateLimiter = { check: () => undefined };
