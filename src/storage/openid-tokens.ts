import type { UserId } from "../protocol/identifiers.ts";

/** Tokens by which users prove to other services who they are (client-server API, "OpenID"). */
export interface OpenIdTokenStore {
  /** Stores the SHA-256 of a token, and forgets tokens that have expired and the user's oldest beyond a bound. */
  add(userNid: number, tokenHash: Uint8Array, expiresTs: number, nowTs: number): Promise<void>;
  /** Whose token it is; `undefined` when it is not known or has expired, and when the account cannot be used. */
  ownerOf(tokenHash: Uint8Array, nowTs: number): Promise<UserId | undefined>;
}
