import type { Requester } from "../auth/requester.ts";
import { hashToken, newToken } from "../auth/tokens.ts";
import type { UserId } from "../protocol/identifiers.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { OpenIdTokenStore } from "../storage/openid-tokens.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { RandomBytes } from "../telemetry/random.ts";

export interface OpenIdToken {
  readonly token: string;
  readonly expiresInMs: number;
}

const lifetimeMs = 60 * 60 * 1000;

/** Lets users prove to other services who they are, such as to those that let them into calls (client-server API, "OpenID"). */
export class OpenIdTokens {
  readonly #store: OpenIdTokenStore;
  readonly #clock: Clock;
  readonly #randomBytes: RandomBytes;

  constructor(store: OpenIdTokenStore, clock: Clock, randomBytes: RandomBytes) {
    this.#store = store;
    this.#clock = clock;
    this.#randomBytes = randomBytes;
  }

  /** A token that is good for nothing but to ask whose it is. */
  async issue({ userNid }: Requester): Promise<OpenIdToken> {
    const { token, hash } = newToken("openid", this.#randomBytes);
    const nowTs = this.#clock.nowMs();
    await this.#store.add(userNid, hash, nowTs + lifetimeMs, nowTs);
    return { token, expiresInMs: lifetimeMs };
  }

  /** @throws MatrixError M_UNKNOWN_TOKEN. */
  async ownerOf(token: string): Promise<UserId> {
    const userId = await this.#store.ownerOf(hashToken(token), this.#clock.nowMs());
    if (userId !== undefined) return userId;
    throw new MatrixError("M_UNKNOWN_TOKEN", "This OpenID token is not known or has expired");
  }
}
