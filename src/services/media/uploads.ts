import { type BlobStore, BlobTooLargeError, type ReceivedBlob } from "../../media/blob-store.ts";
import type { ServerName } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { mxcUri } from "../../protocol/mxc-uri.ts";
import type { CompletedUpload, MediaContent, MediaStore } from "../../storage/media.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { RandomBytes } from "../../telemetry/random.ts";
import { knownContentType } from "./content-type.ts";
import type { ReferencedBlobs } from "./referenced-blobs.ts";
import type { UploadArrivals } from "./upload-arrivals.ts";

/** A file that is being sent. */
export interface IncomingFile {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** What the sender says it will be. */
  readonly announcedBytes: number | undefined;
  readonly contentType: string | undefined;
  readonly filename: string | undefined;
}

export interface UploadLimits {
  readonly maxUploadBytes: number;
  /** All uploads of a user together; `null` for as much as they like. */
  readonly maxBytesPerUser: number | null;
}

export interface UploadParts {
  readonly serverName: ServerName;
  readonly store: MediaStore;
  readonly blobs: BlobStore;
  readonly references: ReferencedBlobs;
  readonly arrivals: UploadArrivals;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly limits: UploadLimits;
}

/** So long may a client take between `/create` and the upload: the default that the specification recommends. */
const reservationMs = 24 * 60 * 60 * 1000;
/** "The server should limit the number of concurrent pending media uploads a given user can have." */
const maxPendingPerUser = 20;
const mediaIdBytes = 18;
const maxFilenameBytes = 1024;

/** Takes files in (client-server API, "Content repository"). */
export class Uploads {
  readonly #parts: UploadParts;

  constructor(parts: UploadParts) {
    this.#parts = parts;
  }

  get maxUploadBytes(): number {
    return this.#parts.limits.maxUploadBytes;
  }

  /**
   * Reserves an `mxc://` URI for a later upload.
   * @throws MatrixError M_LIMIT_EXCEEDED when too many uploads of the user are still to come.
   */
  async reserve(userNid: number): Promise<{ contentUri: string; expiresTs: number }> {
    const { store, clock } = this.#parts;
    const mediaId = this.#newMediaId();
    const nowTs = clock.nowMs();
    const expiresTs = nowTs + reservationMs;
    if (await store.reserve(mediaId, userNid, nowTs, expiresTs, maxPendingPerUser)) {
      return { contentUri: this.#uriOf(mediaId), expiresTs };
    }
    throw new MatrixError("M_LIMIT_EXCEEDED", "Upload the files first that you have made URIs for", {
      retry_after_ms: 60_000,
    });
  }

  /**
   * Takes a file in and returns its `mxc://` URI.
   * @throws MatrixError M_TOO_LARGE, M_INVALID_PARAM, M_FORBIDDEN when the user's files would take too much room.
   */
  async upload(userNid: number, file: IncomingFile): Promise<string> {
    const { store, references, clock } = this.#parts;
    await using received = await this.#receive(userNid, file);
    const mediaId = this.#newMediaId();
    const content = contentOf(received, file);
    const media = { mediaId, userNid, createdTs: clock.nowMs(), content, expiresTs: null };
    const { maxBytesPerUser } = this.#parts.limits;
    const outcome = await references.keep(received, () => store.insert(media, maxBytesPerUser));
    if (outcome === "over-quota") {
      await references.release([received.sha256]);
      throw noRoom();
    }
    return this.#uriOf(mediaId);
  }

  /**
   * Takes a file in for a URI that was reserved.
   * @throws MatrixError M_NOT_FOUND, M_FORBIDDEN, M_CANNOT_OVERWRITE_MEDIA, and as `upload`.
   */
  async uploadTo(userNid: number, serverName: string, mediaId: string, file: IncomingFile): Promise<void> {
    const { store, references, arrivals, clock, limits } = this.#parts;
    await this.#checkReserved(userNid, serverName, mediaId);
    await using received = await this.#receive(userNid, file);
    const content = contentOf(received, file);
    const outcome = await references.keep(received, () =>
      store.complete(mediaId, content, clock.nowMs(), limits.maxBytesPerUser),
    );
    if (outcome !== "completed") {
      await references.release([received.sha256]);
      throw refusal(outcome);
    }
    arrivals.arrived(mediaId);
  }

  async #checkReserved(userNid: number, serverName: string, mediaId: string): Promise<void> {
    const record = serverName === this.#parts.serverName ? await this.#parts.store.find(mediaId) : undefined;
    if (!record) throw refusal("unknown");
    if (record.userNid !== userNid) {
      throw new MatrixError("M_FORBIDDEN", "This URI was made for somebody else's upload");
    }
    if (record.content) throw refusal("has-content");
    if ((record.expiresTs ?? Infinity) <= this.#parts.clock.nowMs()) throw refusal("unknown");
  }

  async #receive(userNid: number, file: IncomingFile): Promise<ReceivedBlob> {
    if (Buffer.byteLength(file.filename ?? "") > maxFilenameBytes) {
      throw new MatrixError("M_INVALID_PARAM", `A filename may have at most ${maxFilenameBytes} bytes`);
    }
    const { blobs, limits } = this.#parts;
    if ((file.announcedBytes ?? 0) > limits.maxUploadBytes) throw tooLarge(limits.maxUploadBytes);
    const room = await this.#roomFor(userNid);
    if ((file.announcedBytes ?? 0) > room) throw noRoom();
    try {
      return await blobs.receive(file.bytes, Math.min(room, limits.maxUploadBytes));
    } catch (error) {
      if (!(error instanceof BlobTooLargeError)) throw error;
      throw room < limits.maxUploadBytes ? noRoom() : tooLarge(limits.maxUploadBytes);
    }
  }

  /** How many bytes a user may add. */
  async #roomFor(userNid: number): Promise<number> {
    const { maxBytesPerUser } = this.#parts.limits;
    if (maxBytesPerUser === null) return Infinity;
    return Math.max(0, maxBytesPerUser - (await this.#parts.store.bytesOf(userNid)));
  }

  #newMediaId(): string {
    return this.#parts.randomBytes(mediaIdBytes).toString("base64url");
  }

  #uriOf(mediaId: string): string {
    return mxcUri({ serverName: this.#parts.serverName, mediaId });
  }
}

function contentOf(
  { sha256, sizeBytes }: ReceivedBlob,
  { contentType, filename }: IncomingFile,
): MediaContent {
  return { sha256, sizeBytes, contentType: knownContentType(contentType), filename: filename || null };
}

function refusal(outcome: Exclude<CompletedUpload, "completed">): MatrixError {
  if (outcome === "over-quota") return noRoom();
  return outcome === "has-content"
    ? new MatrixError("M_CANNOT_OVERWRITE_MEDIA", "Something has been uploaded to this URI before")
    : new MatrixError("M_NOT_FOUND", "This URI was not made here, or its time is up: make another one");
}

function tooLarge(maxBytes: number): MatrixError {
  return new MatrixError("M_TOO_LARGE", `A file may have at most ${maxBytes} bytes`);
}

function noRoom(): MatrixError {
  return new MatrixError("M_FORBIDDEN", "Your files take all the room that you have on this server");
}
