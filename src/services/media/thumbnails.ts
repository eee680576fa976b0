import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { BlobStore } from "../../media/blob-store.ts";
import {
  type ImageScaler,
  ImageTooLargeError,
  type ScaledImage,
  UnscalableImageError,
} from "../../media/image-scaler.ts";
import {
  type ThumbnailSize,
  thumbnailSize,
  type ThumbnailWish,
  variantName,
} from "../../media/thumbnail-size.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { StorageError } from "../../storage/errors.ts";
import type { MediaContent, MediaStore, Thumbnail } from "../../storage/media.ts";
import type { ReferencedBlobs } from "./referenced-blobs.ts";

/** A thumbnail as it is handed out. */
export interface FoundThumbnail extends Thumbnail {
  /** Its bytes, when there was no room to keep them: reading goes on when the disk is full. */
  readonly bytes?: Buffer;
}

/** Files that are no pictures, so that nobody keeps the server busy with finding it out again. */
const rememberedRefusals = 1_000;

/** Makes thumbnails when they are first asked for, and keeps them (client-server API, "Thumbnails"). */
export class Thumbnails {
  readonly #store: MediaStore;
  readonly #blobs: BlobStore;
  readonly #references: ReferencedBlobs;
  readonly #scaler: ImageScaler;
  /** Those that are being made, by source and variant: whoever else wants one waits for the same. */
  readonly #making = new Map<string, Promise<FoundThumbnail>>();
  readonly #refused = new LRUCache<string, UnscalableImageError | ImageTooLargeError>({
    maxSize: rememberedRefusals,
    sizeCalculation: () => 1,
  });

  constructor(store: MediaStore, blobs: BlobStore, references: ReferencedBlobs, scaler: ImageScaler) {
    this.#store = store;
    this.#blobs = blobs;
    this.#references = references;
    this.#scaler = scaler;
  }

  /**
   * A thumbnail of a file, which may be the file itself when that is small.
   * @throws MatrixError M_UNKNOWN when the file is no picture that can be scaled, M_TOO_LARGE, M_LIMIT_EXCEEDED when the
   *   server has too much to do.
   */
  async find(source: MediaContent, wish: ThumbnailWish): Promise<FoundThumbnail> {
    const size = thumbnailSize(wish);
    const variant = variantName(size, wish.animated);
    const known = await this.#store.findThumbnail(source.sha256, variant);
    if (known) return known;
    const key = `${source.sha256} ${variant}`;
    let making = this.#making.get(key);
    if (!making) {
      making = this.#make(source, size, wish.animated, variant).finally(() => this.#making.delete(key));
      this.#making.set(key, making);
    }
    return making;
  }

  async #make(
    source: MediaContent,
    size: ThumbnailSize,
    animated: boolean,
    variant: string,
  ): Promise<FoundThumbnail> {
    const image = await this.#scale(source, size, animated);
    const { contentType } = image;
    try {
      return image.kind === "scaled"
        ? await this.#keep(source, variant, contentType, image.bytes)
        : await this.#keepOriginal(source, variant, contentType);
    } catch (error) {
      if (!(error instanceof StorageError) || error.failure !== "disk-full") throw error;
      return image.kind === "scaled" ? unkept(contentType, image.bytes) : thumbnailOf(source, contentType);
    }
  }

  async #keepOriginal(source: MediaContent, variant: string, contentType: string): Promise<Thumbnail> {
    const thumbnail = thumbnailOf(source, contentType);
    checkSource(await this.#store.putThumbnail(source.sha256, variant, thumbnail));
    return thumbnail;
  }

  async #keep(source: MediaContent, variant: string, contentType: string, bytes: Buffer): Promise<Thumbnail> {
    await using received = await this.#blobs.receive([bytes], bytes.length);
    const { sha256 } = received;
    const thumbnail = thumbnailOf(received, contentType);
    const isStored = await this.#references.keep(received, () =>
      this.#store.putThumbnail(source.sha256, variant, thumbnail),
    );
    if (!isStored) await this.#references.release([sha256]);
    checkSource(isStored);
    return thumbnail;
  }

  async #scale({ sha256 }: MediaContent, size: ThumbnailSize, animated: boolean): Promise<ScaledImage> {
    const refused = this.#refused.get(sha256);
    if (refused) throw refusalOf(refused);
    try {
      return await this.#blobs.useFile(sha256, (path) => this.#scaler.scale(path, size, animated));
    } catch (error) {
      if (!(error instanceof UnscalableImageError || error instanceof ImageTooLargeError)) throw error;
      this.#refused.set(sha256, error);
      throw refusalOf(error);
    }
  }
}

/** Bytes that are kept, as a thumbnail. */
function thumbnailOf({ sha256, sizeBytes }: Omit<Thumbnail, "contentType">, contentType: string): Thumbnail {
  return { sha256, sizeBytes, contentType };
}

function unkept(contentType: string, bytes: Buffer): FoundThumbnail {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { sha256, sizeBytes: bytes.length, contentType, bytes };
}

function refusalOf(error: UnscalableImageError | ImageTooLargeError): MatrixError {
  return error instanceof ImageTooLargeError
    ? new MatrixError("M_TOO_LARGE", "The picture has too many pixels for a thumbnail")
    : new MatrixError("M_UNKNOWN", "The file is no picture that thumbnails can be made of");
}

/** The source may be removed while its thumbnail is being made. */
function checkSource(isThere: boolean): void {
  if (!isThere) throw new MatrixError("M_NOT_FOUND", "There is no such file here");
}
