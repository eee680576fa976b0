import type { UserId } from "../protocol/identifiers.ts";
import type { OAuthBinding } from "./oauth.ts";

/** Tokens of a session, as SHA-256 hashes: the tokens themselves are not stored. */
export interface SessionTokens {
  readonly accessTokenHash: Uint8Array;
  /** When the access token expires; `null` for never. */
  readonly expiresTs: number | null;
  readonly refreshTokenHash: Uint8Array | null;
}

export interface NewSession extends SessionTokens {
  readonly deviceId: string;
  /** For a new device: one that exists keeps the name that it has. */
  readonly displayName: string | null;
  readonly createdTs: number;
  /** For a session of the OAuth 2.0 API. */
  readonly oauth?: OAuthBinding;
}

/** Who an access token belongs to. */
export interface TokenOwner {
  readonly userNid: number;
  readonly userId: UserId;
  readonly deviceId: string;
  readonly expiresTs: number | null;
  readonly isAdmin: boolean;
  readonly isGuest: boolean;
  readonly isLocked: boolean;
  readonly isSuspended: boolean;
  /** The tokens that it replaces have to be revoked now that it is used: see `confirmRefresh`. */
  readonly isUnconfirmed: boolean;
}

/** Sessions: devices with the tokens that act for them (client-server API, "Client Authentication"). */
export interface SessionStore {
  /**
   * Makes the device unless it is there; tokens that it had are revoked. A user with very many devices loses the most
   * disused. Returns false, and changes nothing, when the account has been deactivated.
   */
  start(userNid: number, session: NewSession): Promise<boolean>;
  findByAccessToken(tokenHash: Uint8Array): Promise<TokenOwner | undefined>;
  /**
   * Gives new tokens for a refresh token, which stays valid until one of the new ones is used; new ones that were
   * given for it before are revoked. Nothing happens for a locked account. The tokens of sessions that were made by the
   * OAuth 2.0 API are not known here.
   */
  refresh(
    refreshTokenHash: Uint8Array,
    tokens: SessionTokens,
  ): Promise<{ readonly userNid: number } | "unknown" | "locked">;
  /** A refreshed access token has been used: the tokens from before are revoked. */
  confirmRefresh(accessTokenHash: Uint8Array): Promise<void>;
  addLoginToken(userNid: number, tokenHash: Uint8Array, expiresTs: number, nowTs: number): Promise<void>;
  /** Uses a login token up. Returns its user, or `undefined` when it is not known or has expired. */
  takeLoginToken(tokenHash: Uint8Array, nowTs: number): Promise<number | undefined>;
}
