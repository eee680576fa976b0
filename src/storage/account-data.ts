/** The scope of account data that belongs to no room. */
export const globalScope = "";

/** A room ID or `globalScope`. A room need not be known to this server: clients may keep notes on any. */
export type AccountDataScope = string;

export interface AccountDataEntry {
  readonly scope: AccountDataScope;
  readonly type: string;
  /** A JSON object as text, as it is sent to clients. */
  readonly content: string;
}

/** What one user may keep in all, over all rooms. */
export interface AccountDataLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

export type AccountDataWrite = "stored" | "too-many-entries" | "too-many-bytes";

/** The content of an entry that has been deleted: incremental syncs tell of it, and nothing else does (MSC3391). */
export const deletedContent = "{}";

/** Client-server API, "Client Config" and "Room Tagging". Every change takes a position in the stream `accountData`. */
export interface AccountDataStore {
  /** The content, as JSON text; `undefined` for what has been deleted too. */
  find(userNid: number, scope: AccountDataScope, type: string): Promise<string | undefined>;
  /** Stores an entry in place of the one that was there. */
  put(userNid: number, entry: AccountDataEntry, limits: AccountDataLimits): Promise<AccountDataWrite>;
  /** Deletes an entry; false when there is none, and nothing changes. */
  remove(userNid: number, scope: AccountDataScope, type: string): Promise<boolean>;
  /** Adds a tag to a room, or replaces it. `info` is a JSON object as text. */
  putTag(
    userNid: number,
    roomId: string,
    tag: string,
    info: string,
    limits: AccountDataLimits,
  ): Promise<AccountDataWrite>;
  /** Removes a tag; false when the room does not have it, and nothing changes. */
  removeTag(userNid: number, roomId: string, tag: string): Promise<boolean>;
  /** Entries whose last change lies after `since` and not after `upTo`, oldest change first; deleted ones too. */
  changedBetween(userNid: number, since: number, upTo: number): Promise<AccountDataEntry[]>;
  /** Everything that the user keeps. */
  all(userNid: number): Promise<AccountDataEntry[]>;
}
