import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import sharp, { type Sharp } from "sharp";
import t from "tap";
import { systemClock } from "../telemetry/clock.ts";
import { ImageScaler, ImageTooLargeError, type ScaledImage, UnscalableImageError } from "./image-scaler.ts";
import type { ThumbnailSize } from "./thumbnail-size.ts";

const folder = t.testdir();
const scaler = new ImageScaler(systemClock);

const scaled = (width: number, height: number): ThumbnailSize => ({ method: "scale", width, height });
const cropped = (width: number, height: number): ThumbnailSize => ({ method: "crop", width, height });

function picture(width: number, height: number, alpha = 1): Sharp {
  const channels = alpha < 1 ? 4 : 3;
  return sharp({ create: { width, height, channels, background: { r: 200, g: 80, b: 20, alpha } } });
}

let files = 0;
/** Once the scaler has run, the library opens nothing but files in this process. */
function save(bytes: Uint8Array): string {
  files += 1;
  const path = join(folder, String(files));
  writeFileSync(path, bytes);
  return path;
}

/** Neighbouring frames that look alike would become one. */
function colourOf(index: number) {
  return { r: (index * 91) % 256, g: (index * 151) % 256, b: (index * 37) % 256 };
}

async function film(width: number, height: number, frames: number): Promise<Buffer> {
  const stills = await Promise.all(
    Array.from({ length: frames }, (_, index) =>
      sharp({ create: { width, height, channels: 3, background: colourOf(index) } })
        .png()
        .toBuffer(),
    ),
  );
  return sharp(stills.map(save), { join: { animated: true } })
    .gif()
    .toBuffer();
}

async function sizeOf(image: ScaledImage) {
  if (image.kind === "original") return "original";
  const {
    width,
    height,
    pages = 1,
    pageHeight = height,
  } = await sharp(save(image.bytes), { pages: -1 }).metadata();
  return { type: image.contentType, width, height: pageHeight, pages };
}

t.test("scaling keeps the shape, cropping takes the shape that is asked for", async (t) => {
  const path = save(await picture(1000, 500).jpeg().toBuffer());
  const still = { type: "image/jpeg", pages: 1 };
  t.strictSame(await sizeOf(await scaler.scale(path, scaled(320, 240), false)), {
    ...still,
    width: 320,
    height: 160,
  });
  t.strictSame(await sizeOf(await scaler.scale(path, cropped(96, 96), false)), {
    ...still,
    width: 96,
    height: 96,
  });
  t.strictSame(await sizeOf(await scaler.scale(path, cropped(320, 240), false)), {
    ...still,
    width: 320,
    height: 240,
  });
});

t.test("drawings stay PNG, photographs in a PNG become JPEG", async (t) => {
  const typeOf = async (png: Sharp) => {
    const made = await scaler.scale(save(await png.png().toBuffer()), scaled(320, 240), false);
    return made.contentType;
  };
  t.equal(await typeOf(picture(900, 700)), "image/png");
  const noise = { type: "gaussian", mean: 128, sigma: 60 } as const;
  const photo = sharp({ create: { width: 900, height: 700, channels: 3, background: "#000", noise } });
  t.equal(await typeOf(photo), "image/jpeg");
});

t.test("nothing is made larger", async (t) => {
  const small = save(await picture(50, 40).png().toBuffer());
  t.equal(await sizeOf(await scaler.scale(small, scaled(320, 240), false)), "original");
  t.equal(await sizeOf(await scaler.scale(small, cropped(96, 96), false)), "original");
  const narrow = save(await picture(50, 400).jpeg().toBuffer());
  t.strictSame(await sizeOf(await scaler.scale(narrow, cropped(96, 96), false)), {
    type: "image/jpeg",
    width: 50,
    height: 96,
    pages: 1,
  });
  t.equal(await sizeOf(await scaler.scale(narrow, { method: "whole" }, false)), "original");
});

t.test("what is transparent stays so", async (t) => {
  for (const bytes of [
    await picture(400, 400, 0.5).png().toBuffer(),
    await picture(400, 400, 0.5).webp().toBuffer(),
    await picture(400, 400, 0.5).avif().toBuffer(),
  ]) {
    const image = await scaler.scale(save(bytes), cropped(96, 96), false);
    t.equal(image.contentType, "image/png");
    t.equal(image.kind === "scaled" && (await sharp(save(image.bytes)).stats()).isOpaque, false);
  }
});

t.test("formats that not every client shows are converted, even when they are small", async (t) => {
  const opaque = save(await picture(20, 20).avif().toBuffer());
  t.match(await sizeOf(await scaler.scale(opaque, scaled(320, 240), false)), {
    type: "image/jpeg",
    width: 20,
  });
  const transparent = save(await picture(20, 20, 0.5).avif().toBuffer());
  t.match(await sizeOf(await scaler.scale(transparent, { method: "whole" }, false)), { type: "image/webp" });
});

t.test("pictures are turned the right way up", async (t) => {
  const lying = save(await picture(1000, 500).withMetadata({ orientation: 6 }).jpeg().toBuffer());
  t.match(await sizeOf(await scaler.scale(lying, scaled(320, 240), false)), { width: 120, height: 240 });
});

t.test("a film keeps moving when that is asked for, and only then", async (t) => {
  const path = save(await film(400, 400, 3));
  const still = { type: "image/png", width: 240, height: 240, pages: 1 };
  const moving = { ...still, type: "image/webp", pages: 3 };
  t.strictSame(await sizeOf(await scaler.scale(path, scaled(320, 240), false)), still);
  t.strictSame(await sizeOf(await scaler.scale(path, scaled(320, 240), true)), moving);
  const small = save(await film(20, 20, 3));
  t.equal(await sizeOf(await scaler.scale(small, scaled(320, 240), true)), "original");
  t.match(await sizeOf(await scaler.scale(small, scaled(320, 240), false)), {
    width: 20,
    height: 20,
    pages: 1,
  });
  const long = save(await film(20, 20, 301));
  t.match(await sizeOf(await scaler.scale(long, cropped(10, 10), true)), { pages: 1 });
});

t.test("a PNG that moves is shown as it is only when that is asked for", async (t) => {
  const png = await picture(20, 20).png().toBuffer();
  const path = save(withAnimationChunk(png));
  t.equal(await sizeOf(await scaler.scale(path, scaled(320, 240), true)), "original");
  t.match(await sizeOf(await scaler.scale(path, scaled(320, 240), false)), {
    width: 20,
    height: 20,
    pages: 1,
  });
});

t.test("what is no picture, or a broken one, is refused", async (t) => {
  const whole = await picture(500, 500).png().toBuffer();
  const refused = {
    text: Buffer.from("no picture"),
    nothing: Buffer.alloc(0),
    "SVG, whose decoder reads other files": Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
    ),
    TIFF: await picture(500, 500).tiff().toBuffer(),
    "half a PNG": whole.subarray(0, Math.floor(whole.length / 2)),
  };
  for (const [name, bytes] of Object.entries(refused)) {
    await t.rejects(scaler.scale(save(bytes), scaled(320, 240), false), UnscalableImageError, name);
  }
});

t.test("a picture of too many pixels is refused before it is decoded", async (t) => {
  const path = save(pngHeader(20_000, 20_000));
  await t.rejects(scaler.scale(path, cropped(32, 32), false), ImageTooLargeError);
  const whole = save(pngHeader(6_000, 6_000));
  await t.rejects(
    scaler.scale(whole, cropped(32, 32), false),
    UnscalableImageError,
    "small enough, but broken",
  );
  const inPasses = save(pngHeader(6_000, 6_000, true));
  await t.rejects(scaler.scale(inPasses, cropped(32, 32), false), ImageTooLargeError, "held in memory whole");
  await t.rejects(scaler.scale(await avifOf(5_000, 4_000), cropped(32, 32), false), ImageTooLargeError);
});

/** A small AVIF that says that it is of another size. */
async function avifOf(width: number, height: number): Promise<string> {
  const bytes = await picture(64, 64).avif().toBuffer();
  // The box of the size: its name, a version and flags, width, height.
  const box = bytes.indexOf("ispe");
  bytes.writeUInt32BE(width, box + 8);
  bytes.writeUInt32BE(height, box + 12);
  return save(bytes);
}

/** A chunk of a PNG file. */
function chunk(type: string, data: Uint8Array): Buffer {
  const typed = Buffer.concat([Buffer.from(type), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(typed), 4);
  return Buffer.concat([frame.subarray(0, 4), typed, frame.subarray(4)]);
}

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

function headerChunk(width: number, height: number, isInterlaced: boolean): Buffer {
  const data = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, Number(isInterlaced)]);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  return chunk("IHDR", data);
}

/** The first bytes of a picture of this size: decoders believe them until they look for the rest. */
function pngHeader(width: number, height: number, isInterlaced = false): Buffer {
  return Buffer.concat([
    signature,
    headerChunk(width, height, isInterlaced),
    chunk("IDAT", Buffer.alloc(10)),
  ]);
}

/** Says that a picture moves: one frame, for ever. */
function withAnimationChunk(png: Buffer): Buffer {
  const afterHeader = signature.length + 25;
  const control = chunk("acTL", Buffer.from([0, 0, 0, 1, 0, 0, 0, 0]));
  return Buffer.concat([png.subarray(0, afterHeader), control, png.subarray(afterHeader)]);
}
