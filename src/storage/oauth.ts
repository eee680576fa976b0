import type { SessionTokens } from "./sessions.ts";

/** A record of something that is under way, such as an authorization code. */
export interface OAuthRecord {
  /** JSON. */
  readonly payload: string;
  readonly expiresTs: number;
  readonly grantId: string | null;
  readonly userCode: string | null;
}

/** Clients of the OAuth 2.0 API, and what is under way with them. */
export interface OAuthStore {
  /** Stores a client; the same again is used again. Some that nobody uses are removed. */
  putClient(clientId: string, metadata: string, nowTs: number): Promise<void>;
  /** A client's metadata (JSON). */
  findClient(clientId: string): Promise<string | undefined>;
  /** Stores a record. False when its user code is another's. */
  putRecord(model: string, idHash: Uint8Array, record: OAuthRecord, nowTs: number): Promise<boolean>;
  findRecord(model: string, idHash: Uint8Array, nowTs: number): Promise<string | undefined>;
  findRecordByUserCode(
    userCode: string,
    nowTs: number,
  ): Promise<{ readonly idHash: Uint8Array; readonly payload: string } | undefined>;
  /** Notes that a record was used, as `consumed` in its payload (seconds). False when it was before, or is gone. */
  consumeRecord(model: string, idHash: Uint8Array, nowTs: number): Promise<boolean>;
  removeRecord(model: string, idHash: Uint8Array): Promise<void>;
  /** Removes the records of a kind that belong to a grant. */
  removeRecordsOfGrant(model: string, grantId: string): Promise<void>;
}

/** What makes a session one of the OAuth 2.0 API. */
export interface OAuthBinding {
  readonly clientId: string;
  readonly grantId: string;
  /** SHA-256 of what all refresh tokens of the session have in common. */
  readonly familyHash: Uint8Array;
}

export interface OAuthDevice {
  readonly userNid: number;
  readonly deviceId: string;
}

export type OAuthRefreshOutcome =
  | OAuthDevice
  | "unknown"
  /** A token that was used before: the session has been ended, for one of those who have it has stolen it. */
  | { readonly reusedBy: OAuthDevice };

/** The sessions that were made by the OAuth 2.0 API. */
export interface OAuthSessionStore {
  /** The client of a device; `undefined` for a device that logged in otherwise. */
  clientOf(userNid: number, deviceId: string): Promise<string | undefined>;
  /**
   * As `SessionStore.refresh`, for the tokens of one client. A locked account gets tokens too: with an error its client
   * would take the session for ended, where it is only locked ("Account locking").
   */
  refresh(
    refreshTokenHash: Uint8Array,
    familyHash: Uint8Array,
    clientId: string,
    tokens: SessionTokens,
  ): Promise<OAuthRefreshOutcome>;
  /** Ends the session of an access or refresh token, however it was made, and removes its device. */
  revoke(tokenHash: Uint8Array): Promise<OAuthDevice | undefined>;
  /** Ends the sessions that a grant has led to. */
  revokeGrant(grantId: string): Promise<OAuthDevice[]>;
}
