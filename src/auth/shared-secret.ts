import { createHmac, timingSafeEqual } from "node:crypto";
import { LRUCache } from "lru-cache";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { RandomBytes } from "../telemetry/random.ts";

/** What a holder of the shared secret asks for, and proves by `mac`. */
export interface SharedSecretRequest {
  readonly nonce: string;
  readonly username: string;
  readonly password: string;
  readonly admin: boolean;
  readonly userType: string | null;
  /** HMAC-SHA1 in hexadecimal. */
  readonly mac: string;
}

const nonceLifetimeMs = 60_000;
const maxNonces = 10_000;
const nonceBytes = 32;

/** Proofs that somebody knows the shared secret, as Synapse's `/_synapse/admin/v1/register` has them. */
export class SharedSecret {
  readonly #secret: string;
  readonly #randomBytes: RandomBytes;
  readonly #nonces: LRUCache<string, true>;

  constructor(secret: string, clock: Clock, randomBytes: RandomBytes) {
    this.#secret = secret;
    this.#randomBytes = randomBytes;
    this.#nonces = new LRUCache({
      maxSize: maxNonces,
      sizeCalculation: () => 1,
      ttl: nonceLifetimeMs,
      ttlResolution: 0,
      perf: { now: () => clock.monotonicMs() },
    });
  }

  /** What the next proof has to contain, so that no proof can be used twice. */
  newNonce(): string {
    const nonce = this.#randomBytes(nonceBytes).toString("hex");
    this.#nonces.set(nonce, true);
    return nonce;
  }

  /** @throws MatrixError M_UNKNOWN for a nonce that is not known (any more), M_FORBIDDEN, M_INVALID_PARAM. */
  check(request: SharedSecretRequest): void {
    const { nonce, username, password, userType, mac } = request;
    const isFresh = this.#nonces.has(nonce);
    this.#nonces.delete(nonce);
    if (!isFresh) {
      throw new MatrixError("M_UNKNOWN", "This nonce is not known or has expired: get another one");
    }
    if (username.includes("\0") || password.includes("\0") || userType?.includes("\0")) {
      throw new MatrixError("M_INVALID_PARAM", "Neither username, password nor user_type may contain NUL");
    }
    const expected = this.#macOf(request);
    const given = Buffer.from(mac, "hex");
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new MatrixError("M_FORBIDDEN", "The mac is not right for this request and the shared secret");
    }
  }

  #macOf({ nonce, username, password, admin, userType }: SharedSecretRequest): Buffer {
    const parts = [nonce, username, password, admin ? "admin" : "notadmin"];
    if (userType !== null && userType !== "") parts.push(userType);
    return createHmac("sha1", this.#secret).update(parts.join("\0")).digest();
  }
}
