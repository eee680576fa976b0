import type { UserId } from "../protocol/identifiers.ts";

/** Who makes a request, as the access token tells. */
export interface Requester {
  readonly userNid: number;
  readonly userId: UserId;
  /** Empty for an application service that names no device. */
  readonly deviceId: string;
  readonly isGuest: boolean;
  readonly isAdmin: boolean;
  /** Locked accounts can log out and nothing else (client-server API, "Account locking"). */
  readonly isLocked: boolean;
  /** Suspended accounts can read, but not take part (client-server API, "Account suspension"): M_USER_SUSPENDED. */
  readonly isSuspended: boolean;
  /** SHA-256 of the access token: names the session without being the secret. */
  readonly tokenHash: Buffer;
  /** The application service that acts as the user, with its own token. */
  readonly appserviceId?: string;
  /** Rate limits do not hold for the request. */
  readonly isUnlimited?: boolean;
}

/** Somebody in whose name something is done, by a request or without one. */
export type ActingUser = Pick<
  Requester,
  "userNid" | "userId" | "deviceId" | "isGuest" | "isAdmin" | "isSuspended" | "appserviceId" | "isUnlimited"
>;

/** Where a request comes from. */
export interface ClientInfo {
  readonly address: string;
  readonly userAgent: string;
}

/** What of a request says who makes it, beside the token. */
export interface IdentifiedRequest extends ClientInfo {
  /** The query of the request: application services name in it as whom they act. */
  readonly search: string;
}

/** Finds out who a token belongs to. */
export interface Authenticator {
  /** @throws MatrixError M_UNKNOWN_TOKEN (with `soft_logout` when it expired). */
  requesterOf(accessToken: string, request: IdentifiedRequest): Promise<Requester>;
  /** The application service that a token belongs to, acting as its own user; `undefined` for every other token. */
  appserviceOf(accessToken: string): Promise<Requester | undefined>;
}
