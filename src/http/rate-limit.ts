import type { RateLimitClass } from "../api/endpoint.ts";
import type { Requester } from "../auth/requester.ts";

/** Bounds how often a user or an address may do something. */
export interface RateLimiter {
  /** Counts one request. @throws MatrixError M_LIMIT_EXCEEDED with `retry_after_ms`. */
  check(limit: RateLimitClass, requester: Requester | undefined, address: string): void;
}
