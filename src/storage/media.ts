/** A file of the content repository, or a place reserved for one (client-server API, "Content repository"). */
export interface MediaRecord {
  readonly mediaId: string;
  /** Whose upload it is; `null` for what the server has fetched itself, such as the picture of a URL preview. */
  readonly userNid: number | null;
  /** When the content came; when the place was reserved, as long as there is none. */
  readonly createdTs: number;
  /** `null` until the content has been uploaded. */
  readonly content: MediaContent | null;
  /** When it is given up: a place without content, or what the server has fetched. `null`: it stays. */
  readonly expiresTs: number | null;
  readonly quarantined: boolean;
  /** Written in batches: some minutes behind. `null` when nobody has asked for it yet. */
  readonly lastAccessTs: number | null;
}

/** What was uploaded. Its bytes are in the blob store, under their hash; equal files share them. */
export interface MediaContent {
  /** SHA-256 in lowercase hexadecimal digits. */
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly contentType: string;
  readonly filename: string | null;
}

/** A picture made smaller. It belongs to the bytes that it was made from, so equal files share their thumbnails. */
export interface Thumbnail {
  /** The blob with the thumbnail; the source's own where the picture is small enough as it is. */
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly contentType: string;
}

/** A file that is there at once. */
export interface NewMedia {
  readonly mediaId: string;
  readonly userNid: number | null;
  readonly createdTs: number;
  readonly content: MediaContent;
  readonly expiresTs: number | null;
}

export type InsertedUpload = "stored" | "over-quota";
export type CompletedUpload = "completed" | "has-content" | "unknown" | "over-quota";

export interface MediaStore {
  find(mediaId: string): Promise<MediaRecord | undefined>;
  /**
   * Stores a file, quarantined when an equal one is.
   * @param maxBytesOfUser nothing is stored when the user's files would take more; `null` for no bound
   */
  insert(media: NewMedia, maxBytesOfUser: number | null): Promise<InsertedUpload>;
  /** Reserves a place for an upload; false when the user has `maxPending` of them that have not expired. */
  reserve(
    mediaId: string,
    userNid: number,
    createdTs: number,
    expiresTs: number,
    maxPending: number,
  ): Promise<boolean>;
  /** Gives a reserved place its content, once and before it expires; else as `insert`. */
  complete(
    mediaId: string,
    content: MediaContent,
    nowTs: number,
    maxBytesOfUser: number | null,
  ): Promise<CompletedUpload>;
  /** How many bytes a user has uploaded. */
  bytesOf(userNid: number): Promise<number>;
  /** Takes a file away from everybody, or gives it back, and with it every equal file. */
  setQuarantined(mediaId: string, quarantined: boolean): Promise<void>;
  /** Notes that media were asked for. */
  touch(mediaIds: readonly string[], accessTs: number): Promise<void>;
  /** Removes files and reserved places. Returns the hashes of the blobs that nothing refers to any more. */
  remove(mediaIds: readonly string[]): Promise<string[]>;
  /** What has expired, at most `limit`. */
  listExpired(nowTs: number, limit: number): Promise<string[]>;
  /**
   * Uploads that nobody has asked for since a moment, at most `limit`; not what is quarantined, nor avatars.
   * @param uriPrefix of this server's `mxc://` URIs, which is what avatars are named by
   */
  listUnused(sinceTs: number, uriPrefix: string, limit: number): Promise<string[]>;
  /** Uploads of users who have asked for erasure, at most `limit`. */
  listOfErasedUsers(limit: number): Promise<string[]>;
  findThumbnail(sourceSha256: string, variant: string): Promise<Thumbnail | undefined>;
  /** Stores a thumbnail; false, and nothing is stored, when its source has gone meanwhile. */
  putThumbnail(sourceSha256: string, variant: string, thumbnail: Thumbnail): Promise<boolean>;
  /** Those of some blobs that nothing refers to. */
  unreferenced(sha256s: readonly string[]): Promise<string[]>;
}
