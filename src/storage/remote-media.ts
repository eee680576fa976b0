import type { MediaContent } from "./media.ts";

/** What a file of another server is known by there. */
export interface RemoteMediaId {
  readonly serverName: string;
  readonly mediaId: string;
}

/** A file of another server that has been fetched. Its bytes are in the blob store, as those of uploads. */
export interface RemoteMediaRecord {
  readonly content: MediaContent;
  readonly fetchedTs: number;
  readonly quarantined: boolean;
}

/** A file that can be given up: it can be fetched again. */
export interface RemoteMediaUse extends RemoteMediaId {
  readonly sizeBytes: number;
}

export interface RemoteMediaStore {
  find(id: RemoteMediaId): Promise<RemoteMediaRecord | undefined>;
  /** Stores a file in the place of what was known under its name; quarantined when an equal one is. */
  put(id: RemoteMediaId, content: MediaContent, fetchedTs: number): Promise<RemoteMediaRecord>;
  /** Notes that files were asked for. */
  touch(ids: readonly RemoteMediaId[], accessTs: number): Promise<void>;
  /** Takes a file away from everybody, or gives it back, and with it every equal file, uploads included. */
  setQuarantined(id: RemoteMediaId, quarantined: boolean): Promise<void>;
  /** Removes files. Returns the hashes of the blobs that nothing refers to any more. */
  remove(ids: readonly RemoteMediaId[]): Promise<string[]>;
  /** How many bytes all files have together, with their thumbnails. */
  totalBytes(): Promise<number>;
  /**
   * Files that nobody has asked for since a moment, those that were asked for longest ago first. What is quarantined is
   * none of them: it would be fetched again.
   */
  listUnused(sinceTs: number, limit: number): Promise<RemoteMediaUse[]>;
}
