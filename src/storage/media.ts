/** A file that a local user uploaded, or a place reserved for one (client-server API, "Content repository"). */
export interface MediaRecord {
  readonly mediaId: string;
  readonly userNid: number;
  readonly createdTs: number;
  /** `null` until the content has been uploaded. */
  readonly content: MediaContent | null;
  /** When a place without content is given up; `null` once there is content. */
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

export type CompletedUpload = "completed" | "has-content" | "unknown";

export interface MediaStore {
  find(mediaId: string): Promise<MediaRecord | undefined>;
  insert(mediaId: string, userNid: number, createdTs: number, content: MediaContent): Promise<void>;
  /** Reserves a place for an upload; false when the user has `maxPending` of them that have not expired. */
  reserve(
    mediaId: string,
    userNid: number,
    createdTs: number,
    expiresTs: number,
    maxPending: number,
  ): Promise<boolean>;
  /** Gives a reserved place its content, once. */
  complete(mediaId: string, content: MediaContent): Promise<CompletedUpload>;
  /** How many bytes a user has uploaded. */
  bytesOf(userNid: number): Promise<number>;
  setQuarantined(mediaId: string, quarantined: boolean): Promise<void>;
  /** Notes that media were asked for. */
  touch(mediaIds: readonly string[], accessTs: number): Promise<void>;
  /** Removes an upload. Returns the hashes of the blobs that nothing refers to any more. */
  remove(mediaId: string): Promise<string[]>;
  /** Gives up the reserved places that have expired, at most `limit`. Returns how many went. */
  removeExpired(nowTs: number, limit: number): Promise<number>;
  findThumbnail(sourceSha256: string, variant: string): Promise<Thumbnail | undefined>;
  /** Stores a thumbnail; false, and nothing is stored, when its source has gone meanwhile. */
  putThumbnail(sourceSha256: string, variant: string, thumbnail: Thumbnail): Promise<boolean>;
  /** Those of some blobs that nothing refers to. */
  unreferenced(sha256s: readonly string[]): Promise<string[]>;
}
