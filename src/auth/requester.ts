import type { UserId } from "../protocol/identifiers.ts";

/** Who makes a request, as the access token tells. */
export interface Requester {
  readonly userNid: number;
  readonly userId: UserId;
  readonly deviceId: string;
  readonly isGuest: boolean;
  readonly isAdmin: boolean;
  /** SHA-256 of the access token: names the session without being the secret. */
  readonly tokenHash: Buffer;
}

/** Finds out who a token belongs to. */
export interface Authenticator {
  /** @throws MatrixError M_UNKNOWN_TOKEN (with `soft_logout` when it expired), M_USER_LOCKED. */
  requesterOf(accessToken: string): Promise<Requester>;
}
