import { open } from "node:fs/promises";
import { availableParallelism } from "node:os";
import type { Metadata, Sharp, SharpOptions } from "sharp";
import type { Clock } from "../telemetry/clock.ts";
import { fitsIn, type ThumbnailSize } from "./thumbnail-size.ts";
import { Turns } from "../concurrency/turns.ts";

/** A thumbnail, or word that the picture itself serves as one. */
export type ScaledImage = {
  readonly contentType: string;
  /** In pixels, as it is shown. */
  readonly width: number;
  readonly height: number;
} & ({ readonly kind: "original" } | { readonly kind: "scaled"; readonly bytes: Buffer });

/** The file is no picture, or none of a kind that can be scaled. */
export class UnscalableImageError extends Error {
  constructor(options?: ErrorOptions) {
    super("the file is no picture that can be scaled", options);
    this.name = "UnscalableImageError";
  }
}

/** The picture has more pixels than the server is willing to look at. */
export class ImageTooLargeError extends Error {
  constructor() {
    super("the picture has too many pixels");
    this.name = "ImageTooLargeError";
  }
}

/** Pictures are made by the C library's own threads; a thread of the pool waits for each, and files need some too. */
const turnLimits = {
  maxAtWork: Math.max(1, Math.min(2, availableParallelism() - 1)),
  maxWaiting: 100,
  maxWaitMs: 30_000,
};
const maxSecondsAtWork = 20;
/**
 * Bounds on pixels, so that no picture takes more than some 300 MiB of memory: a JPEG is shrunk while it is read, others
 * may have to be decoded whole, and an AVIF takes twenty bytes a pixel. What comes in ever finer passes is held whole.
 */
const maxPixels = { jpeg: 80_000_000, heif: 16_000_000, others: 40_000_000, inPasses: 30_000_000 };
/** Over all frames; a longer film gives a still picture. */
const maxAnimatedPixels = 40_000_000;
const maxFrames = 300;
/** A larger PNG without transparency becomes a JPEG. */
const maxDrawingBytes = 32 * 1024;

/** The decoders that files of strangers may reach. */
const formats = ["Jpeg", "Png", "Nsgif", "Webp", "Heif"];
const loaders = formats.flatMap((format) => [`${format}File`, `${format}Buffer`]);

/** Formats that clients show and that a thumbnail may have ("Download a thumbnail", `Content-Type`). */
const servedFormats: Readonly<Record<string, string>> = {
  jpeg: "image/jpeg",
  png: "image/png",
  gif: "image/gif",
  webp: "image/webp",
};

/** A file by its path, or the bytes themselves. */
export type ImageSource = string | Buffer;

type ThumbnailType = "webp" | "png" | "jpeg";

type OpenImage = (source: ImageSource, options: SharpOptions) => Sharp;

/** Makes pictures smaller. The library is loaded with the first one: it takes 20 MiB of memory. */
export class ImageScaler {
  readonly #turns: Turns;
  #library: Promise<OpenImage> | undefined;

  constructor(clock: Clock) {
    this.#turns = new Turns(turnLimits, clock);
  }

  /**
   * A picture at a size, never larger than it is.
   * @throws UnscalableImageError, ImageTooLargeError, MatrixError M_LIMIT_EXCEEDED when too many are waiting.
   */
  scale(source: ImageSource, size: ThumbnailSize, animated: boolean): Promise<ScaledImage> {
    return this.#turns.run(async () => {
      this.#library ??= loadLibrary();
      return scaleImage(await this.#library, source, size, animated);
    });
  }
}

async function loadLibrary(): Promise<OpenImage> {
  const { default: sharp } = await import("sharp");
  sharp.cache(false);
  sharp.concurrency(1);
  sharp.block({ operation: ["VipsForeignLoad"] });
  sharp.unblock({ operation: loaders.map((loader) => `VipsForeignLoad${loader}`) });
  return (source, options) => sharp(source, options);
}

async function scaleImage(
  openImage: OpenImage,
  source: ImageSource,
  size: ThumbnailSize,
  animated: boolean,
): Promise<ScaledImage> {
  const found = await understood(() => openImage(source, { limitInputPixels: false }).metadata());
  const { width, height, format, pages = 1 } = found;
  if (width * height > maxPixelsOf(found)) throw new ImageTooLargeError();
  const moves = pages > 1 || (format === "png" && (await isAnimatedPng(source)));
  const contentType = servedFormats[format];
  if (contentType !== undefined && fitsIn(found.autoOrient, size) && (animated || !moves)) {
    return { kind: "original", contentType, width: found.autoOrient.width, height: found.autoOrient.height };
  }
  const keepsMoving =
    animated && pages > 1 && pages <= maxFrames && width * height * pages <= maxAnimatedPixels;
  const image = openImage(source, {
    limitInputPixels: maxPixels.jpeg,
    sequentialRead: true,
    ...(keepsMoving ? { pages: -1 } : { autoOrient: true }),
  });
  const smaller = resized(image, size);
  return understood(() =>
    mayBeDrawing(found, size)
      ? encodedDrawing(openImage, smaller)
      : encodedAs(smaller, typeOf(found, size, keepsMoving)),
  );
}

function maxPixelsOf({ format, isProgressive }: Metadata): number {
  if (isProgressive) return maxPixels.inPasses;
  return format === "jpeg" || format === "heif" ? maxPixels[format] : maxPixels.others;
}

function resized(image: Sharp, size: ThumbnailSize): Sharp {
  image.timeout({ seconds: maxSecondsAtWork });
  if (size.method === "whole") return image;
  const { method, width, height } = size;
  // "Servers MUST NOT upscale thumbnails under any circumstance."
  return image.resize(width, height, {
    fit: method === "crop" ? "cover" : "inside",
    withoutEnlargement: true,
  });
}

/** Moving pictures as WebP, transparent ones as PNG (or WebP when they are large), others as JPEG. */
function typeOf({ hasAlpha }: Metadata, size: ThumbnailSize, moving: boolean): ThumbnailType {
  if (moving || (hasAlpha && size.method === "whole")) return "webp";
  return hasAlpha ? "png" : "jpeg";
}

function mayBeDrawing({ format, hasAlpha }: Metadata, size: ThumbnailSize): boolean {
  return format === "png" && !hasAlpha && size.method !== "whole";
}

/**
 * Drawings and screenshots keep their sharp edges as PNG where that takes little room, which it does not for photographs.
 * To see which it is takes a second try with the pixels, not a second reading of the picture, where the time goes.
 */
async function encodedDrawing(openImage: OpenImage, image: Sharp): Promise<ScaledImage> {
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const pixels = () => openImage(data, { raw: { width, height, channels } });
  const drawing = await encodedAs(pixels(), "png");
  return drawing.bytes.length <= maxDrawingBytes ? drawing : encodedAs(pixels(), "jpeg");
}

async function encodedAs(
  image: Sharp,
  type: ThumbnailType,
): Promise<ScaledImage & { readonly kind: "scaled" }> {
  if (type === "webp") image.webp({ effort: 2 });
  else if (type === "png") image.png();
  else image.jpeg({ quality: 80 });
  const { data: bytes, info } = await image.toBuffer({ resolveWithObject: true });
  const height = info.pageHeight ?? info.height;
  return { kind: "scaled", contentType: `image/${type}`, width: info.width, height, bytes };
}

/** The library tells a broken file from another failure by its message alone, so that every failure is the file's. */
async function understood<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    throw new UnscalableImageError({ cause: error });
  }
}

const pngHeadBytes = 256 * 1024;

/** Whether a PNG has the chunk that makes it move, which comes before the pixels; the library shows its first frame. */
async function isAnimatedPng(source: ImageSource): Promise<boolean> {
  const head = await headOf(source);
  const control = head.indexOf("acTL");
  const pixels = head.indexOf("IDAT");
  return pixels === -1 || (control !== -1 && control < pixels);
}

async function headOf(source: ImageSource): Promise<Buffer> {
  if (typeof source !== "string") return source.subarray(0, pngHeadBytes);
  await using file = await open(source, "r");
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(pngHeadBytes), 0, pngHeadBytes, 0);
  return buffer.subarray(0, bytesRead);
}
