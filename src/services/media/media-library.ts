import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { LRUCache } from "lru-cache";
import type { BlobStore, ByteRange } from "../../media/blob-store.ts";
import type { ServerName } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { MediaContent, MediaRecord, MediaStore } from "../../storage/media.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { MediaAccess } from "./media-access.ts";
import type { RemoteMedia } from "./remote-media.ts";
import type { ReferencedBlobs } from "./referenced-blobs.ts";
import type { UploadArrivals } from "./upload-arrivals.ts";

export interface MediaLibraryParts {
  readonly serverName: ServerName;
  readonly store: MediaStore;
  readonly blobs: BlobStore;
  readonly references: ReferencedBlobs;
  readonly arrivals: UploadArrivals;
  readonly access: MediaAccess;
  readonly clock: Clock;
  /** When files stopped being handed out to people who have not signed in: later ones are for users only. */
  readonly frozenSinceTs: number;
  /** Files that are handed out to everybody all the same, by their media IDs. */
  readonly publicMediaIds: ReadonlySet<string>;
  /** Absent where this server talks with no others. */
  readonly remote: Pick<RemoteMedia, "find"> | undefined;
}

/** Who waits for a file, and for how long. */
export interface Patience {
  readonly waitMs: number;
  readonly signal: AbortSignal;
}

/** Bytes that a description names. */
export interface Blob {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Avatars and other small files are asked for over and over: they are handed out from memory. */
const smallBytes = 64 * 1024;
const smallCacheBytes = 16 * 1024 * 1024;
/** A picture is asked for by all who are in the room when it comes: they share one copy in memory. */
const mediumBytes = 1024 * 1024;
const mediumCacheBytes = 16 * 1024 * 1024;
/** "The content repository SHOULD impose a maximum value for this parameter." */
const maxWaitMs = 60_000;

/** Hands files out (client-server API, "Content repository"). */
export class MediaLibrary {
  readonly #parts: MediaLibraryParts;
  readonly #small = new LRUCache<string, Promise<Buffer>>({ maxSize: smallCacheBytes });
  readonly #medium = new LRUCache<string, Promise<Buffer>>({ maxSize: mediumCacheBytes });

  constructor(parts: MediaLibraryParts) {
    this.#parts = parts;
  }

  /**
   * A file's description; waits for it when it is still to be uploaded, and fetches it when it is another server's.
   * @throws MatrixError M_NOT_FOUND, M_NOT_YET_UPLOADED, and as `RemoteMedia.find`
   */
  find(serverName: string, mediaId: string, patience: Patience): Promise<MediaContent> {
    return serverName === this.#parts.serverName
      ? this.findOwn(mediaId, patience)
      : this.#findRemote(serverName, mediaId, patience.waitMs, Infinity);
  }

  /** As `find`, of this server's own files. */
  findOwn(mediaId: string, patience: Patience): Promise<MediaContent> {
    return this.#findOwn(mediaId, patience, Infinity);
  }

  /**
   * As `find`, for somebody who has not signed in. "Any media uploaded before the freeze remains accessible via the
   * deprecated endpoints, and any media uploaded after (or during) the freeze SHOULD only be accessible through the new,
   * authenticated, endpoints." Other servers' files count from when they were fetched.
   * @param allowsRemote whether files of other servers are meant as well
   */
  findForAnybody(
    serverName: string,
    mediaId: string,
    patience: Patience,
    allowsRemote: boolean,
  ): Promise<MediaContent> {
    const { frozenSinceTs, publicMediaIds } = this.#parts;
    if (serverName === this.#parts.serverName) {
      const beforeTs = publicMediaIds.has(mediaId) ? Infinity : frozenSinceTs;
      return this.#findOwn(mediaId, patience, beforeTs);
    }
    if (!allowsRemote) return Promise.reject(notFound());
    return this.#findRemote(serverName, mediaId, patience.waitMs, frozenSinceTs);
  }

  /** A part of a blob. */
  async read(blob: Blob, range: ByteRange): Promise<Buffer | Readable> {
    const { sha256, sizeBytes } = blob;
    if (sizeBytes > mediumBytes) return this.#parts.blobs.read(sha256, range);
    const cache = sizeBytes > smallBytes ? this.#medium : this.#small;
    const bytes = await (cache.get(sha256) ?? this.#readInto(cache, blob));
    return bytes.subarray(range.start, range.end);
  }

  /** Removes files for ever, with their thumbnails unless equal files need them. */
  async remove(mediaIds: readonly string[]): Promise<void> {
    if (mediaIds.length === 0) return;
    const orphans = await this.#parts.store.remove(mediaIds);
    for (const sha256 of orphans) {
      this.#small.delete(sha256);
      this.#medium.delete(sha256);
    }
    await this.#parts.references.release(orphans);
  }

  async #findOwn(mediaId: string, patience: Patience, uploadedBeforeTs: number): Promise<MediaContent> {
    const record = await this.#available(mediaId, uploadedBeforeTs);
    const content = record.content ?? (await this.#awaited(mediaId, patience, uploadedBeforeTs));
    this.#parts.access.saw(mediaId, mediaId);
    return content;
  }

  async #findRemote(
    serverName: string,
    mediaId: string,
    waitMs: number,
    fetchedBeforeTs: number,
  ): Promise<MediaContent> {
    const { remote } = this.#parts;
    if (!remote) throw notFound();
    return remote.find(serverName, mediaId, { waitMs, fetchedBeforeTs });
  }

  #readInto(cache: LRUCache<string, Promise<Buffer>>, { sha256, sizeBytes }: Blob): Promise<Buffer> {
    const reading = this.#parts.blobs.read(sha256, { start: 0, end: sizeBytes }).then(bytesOf);
    cache.set(sha256, reading, { size: sizeBytes + 1 });
    reading.catch(() => cache.delete(sha256));
    return reading;
  }

  async #awaited(
    mediaId: string,
    { waitMs, signal }: Patience,
    uploadedBeforeTs: number,
  ): Promise<MediaContent> {
    await this.#parts.arrivals.wait(mediaId, Math.min(waitMs, maxWaitMs), signal);
    const { content } = await this.#available(mediaId, uploadedBeforeTs);
    if (content) return content;
    throw new MatrixError("M_NOT_YET_UPLOADED", "The content has not been uploaded yet: try again later");
  }

  async #available(mediaId: string, uploadedBeforeTs: number): Promise<MediaRecord> {
    const record = await this.#parts.store.find(mediaId);
    if (!record || record.quarantined || record.createdTs >= uploadedBeforeTs) throw notFound();
    if (record.expiresTs !== null && record.expiresTs <= this.#parts.clock.nowMs()) throw notFound();
    return record;
  }
}

async function bytesOf(body: Buffer | Readable): Promise<Buffer> {
  return Buffer.isBuffer(body) ? body : buffer(body);
}

function notFound(): MatrixError {
  return new MatrixError("M_NOT_FOUND", "There is no such file here");
}
