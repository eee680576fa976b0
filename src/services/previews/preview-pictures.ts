import type { BlobStore } from "../../media/blob-store.ts";
import {
  type ImageScaler,
  ImageTooLargeError,
  type ScaledImage,
  UnscalableImageError,
} from "../../media/image-scaler.ts";
import type { ServerName } from "../../protocol/identifiers.ts";
import { mxcUri } from "../../protocol/mxc-uri.ts";
import type { MediaStore } from "../../storage/media.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { RandomBytes } from "../../telemetry/random.ts";
import type { ReferencedBlobs } from "../media/referenced-blobs.ts";

export interface PreviewPictureParts {
  readonly serverName: ServerName;
  readonly store: MediaStore;
  readonly blobs: BlobStore;
  readonly references: ReferencedBlobs;
  readonly scaler: ImageScaler;
  readonly randomBytes: RandomBytes;
  readonly clock: Clock;
}

/** A picture of a preview, which is in the content repository. */
export interface StoredPicture {
  readonly mediaId: string;
  readonly uri: string;
  readonly contentType: string;
  readonly width: number;
  readonly height: number;
  readonly sizeBytes: number;
}

/** Larger pictures are made smaller: nobody sees more of them beside a message, and they would fill the disk. */
const maxSize = { method: "scale", width: 800, height: 600 } as const;
const mediaIdBytes = 18;

/** Puts the pictures of URL previews into the content repository, for a while. */
export class PreviewPictures {
  readonly #parts: PreviewPictureParts;

  constructor(parts: PreviewPictureParts) {
    this.#parts = parts;
  }

  /**
   * @param minPixels of width and height, below which a picture is not worth keeping
   * @returns `undefined` for what is no picture that can be shown
   */
  async keep(bytes: Buffer, minPixels: number, expiresTs: number): Promise<StoredPicture | undefined> {
    const image = await this.#scaled(bytes);
    if (!image || Math.min(image.width, image.height) < minPixels) return undefined;
    const { contentType, width, height } = image;
    const { blobs, references, store, randomBytes, serverName, clock } = this.#parts;
    const stored = image.kind === "original" ? bytes : image.bytes;
    await using received = await blobs.receive([stored], stored.length);
    const { sha256, sizeBytes } = received;
    const mediaId = randomBytes(mediaIdBytes).toString("base64url");
    const content = { sha256, sizeBytes, contentType, filename: null };
    const media = { mediaId, userNid: null, createdTs: clock.nowMs(), content, expiresTs };
    await references.keep(received, () => store.insert(media, null));
    return { mediaId, uri: mxcUri({ serverName, mediaId }), contentType, width, height, sizeBytes };
  }

  async #scaled(bytes: Buffer): Promise<ScaledImage | undefined> {
    try {
      return await this.#parts.scaler.scale(bytes, maxSize, false);
    } catch (error) {
      if (error instanceof UnscalableImageError || error instanceof ImageTooLargeError) return undefined;
      throw error;
    }
  }
}
