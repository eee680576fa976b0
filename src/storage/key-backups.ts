/** A backup of room keys, without the keys. */
export interface KeyBackup {
  readonly version: number;
  readonly algorithm: string;
  /** JSON object. */
  readonly authData: string;
  /** Grows with each change of the keys. */
  readonly etag: number;
  readonly count: number;
}

/** The key of one session in a backup. */
export interface BackedUpKey {
  readonly roomId: string;
  readonly sessionId: string;
  readonly isVerified: boolean;
  readonly firstMessageIndex: number;
  readonly forwardedCount: number;
  /** The key's data as it was uploaded, as JSON. */
  readonly data: string;
}

/** Which keys of a backup: all, those of a room, or that of one session. */
export interface KeyRange {
  readonly roomId: string | null;
  readonly sessionId: string | null;
}

/** How far a backup has been read: the last key. */
export interface KeyCursor {
  readonly roomId: string;
  readonly sessionId: string;
}

export interface KeyPage {
  readonly keys: readonly Pick<BackedUpKey, "roomId" | "sessionId" | "data">[];
  /** Set when there may be more. */
  readonly next: KeyCursor | null;
}

export type PutKeysOutcome =
  | { readonly stored: true; readonly etag: number; readonly count: number }
  | { readonly stored: false; readonly reason: "no-backup" }
  | { readonly stored: false; readonly reason: "full" }
  | { readonly stored: false; readonly reason: "wrong-version"; readonly currentVersion: number };

/** Server-side key backups (client-server API, "Server-side key backups"). */
export interface KeyBackupStore {
  /** The version of the new backup, or `undefined` when the user has `maxBackups` of them. */
  create(
    userNid: number,
    algorithm: string,
    authData: string,
    maxBackups: number,
  ): Promise<number | undefined>;
  current(userNid: number): Promise<KeyBackup | undefined>;
  find(userNid: number, version: number): Promise<KeyBackup | undefined>;
  /** "no-backup", or "other-algorithm" when the backup was made with another one. */
  update(
    userNid: number,
    version: number,
    algorithm: string,
    authData: string,
  ): Promise<"updated" | "no-backup" | "other-algorithm">;
  /** Deletes a backup; its keys are out of reach at once, and go with `purge`. False when there never was such a version. */
  delete(userNid: number, version: number): Promise<boolean>;
  /** Removes keys of deleted backups, at most `limit`, so that no write takes long. Returns how many. */
  purge(userNid: number, limit: number): Promise<number>;
  /**
   * Stores keys in the current backup. Of two keys for one session the better is kept: verified, then the lower first
   * message index, then the lower forwarded count.
   */
  putKeys(
    userNid: number,
    version: number,
    keys: readonly BackedUpKey[],
    maxKeys: number,
  ): Promise<PutKeysOutcome>;
  /** The data of one session's key, as JSON. */
  findKey(userNid: number, version: number, roomId: string, sessionId: string): Promise<string | undefined>;
  /** Keys of a backup by room and session, at most `limit`; those of one room when it is given. */
  listKeys(
    userNid: number,
    version: number,
    roomId: string | null,
    after: KeyCursor | null,
    limit: number,
  ): Promise<KeyPage>;
  /** Deletes keys, at most `limit`. What the backup is afterwards, or `undefined` when there is none. */
  deleteKeys(
    userNid: number,
    version: number,
    range: KeyRange,
    limit: number,
  ): Promise<{ readonly etag: number; readonly count: number; readonly deleted: number } | undefined>;
}
