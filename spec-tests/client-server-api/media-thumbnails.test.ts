import sharp from "sharp";
import t from "tap";
import { registerUser } from "../support/client.ts";
import { fetchBytes, mediaPath, upload } from "../support/media.ts";
import { startServer } from "../support/server.ts";

// Made before the server loads the same library, which then opens nothing but files.
const background = { r: 10, g: 200, b: 100 };
const photo = await sharp({ create: { width: 1000, height: 600, channels: 3, background } })
  .jpeg()
  .toBuffer();
const logo = await sharp({
  create: { width: 400, height: 400, channels: 4, background: { ...background, alpha: 0.5 } },
})
  .png()
  .toBuffer();
const icon = await sharp({ create: { width: 20, height: 20, channels: 3, background } })
  .png()
  .toBuffer();
const frames = [background, { r: 250, g: 0, b: 0 }].map((colour) =>
  sharp({ create: { width: 500, height: 500, channels: 3, background: colour } })
    .png()
    .toBuffer(),
);
const film = await sharp(await Promise.all(frames), { join: { animated: true } })
  .gif()
  .toBuffer();

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");

const thumbnailOf = (uri: string, query: string) =>
  fetchBytes(alice, "getContentThumbnailAuthed", mediaPath("thumbnail", uri, `?${query}`));

/** Width and height of a JPEG, PNG or WebP, read from its header. */
async function sizeOf(bytes: Buffer): Promise<string> {
  const folder = t.testdir({ picture: bytes });
  const {
    width,
    height,
    pages = 1,
    pageHeight = height,
  } = await sharp(`${folder}/picture`, { pages: -1 }).metadata();
  return `${width}x${pageHeight}${pages > 1 ? ` ${pages} frames` : ""}`;
}

t.test("getContentThumbnailAuthed: scaled and cropped, never smaller than asked for", async (t) => {
  const uri = await upload(alice, photo, { type: "image/jpeg", filename: "photo.jpg" });
  for (const [query, size] of [
    ["width=32&height=32&method=crop", "32x32"],
    ["width=96&height=96&method=crop", "96x96"],
    ["width=50&height=50&method=crop", "96x96"],
    ["width=320&height=240&method=scale", "320x192"],
    ["width=640&height=480&method=scale", "640x384"],
    ["width=800&height=600", "800x480"],
  ] as const) {
    const { status, bytes, headers } = await thumbnailOf(uri, query);
    t.equal(status, 200, query);
    t.equal(await sizeOf(bytes), size, query);
    t.equal(headers.get("content-type"), "image/jpeg");
    t.equal(headers.get("content-disposition"), 'inline; filename="thumbnail.jpeg"');
    t.match(headers.get("content-security-policy"), /^sandbox;/);
  }
  const first = await thumbnailOf(uri, "width=32&height=32&method=crop");
  const again = await thumbnailOf(uri, "width=31&height=32&method=crop");
  t.ok(first.bytes.equals(again.bytes), "kept, for whatever is rounded to the same size");
});

t.test("getContentThumbnailAuthed: a small picture is its own thumbnail", async (t) => {
  const uri = await upload(alice, icon, { type: "text/plain", filename: "icon.png" });
  for (const query of ["width=32&height=32&method=crop", "width=5000&height=5000&method=scale"]) {
    const { status, bytes, headers } = await thumbnailOf(uri, query);
    t.equal(status, 200);
    t.ok(bytes.equals(icon), query);
    t.equal(headers.get("content-type"), "image/png", "whatever the uploader called it");
  }
});

t.test("getContentThumbnailAuthed: what is transparent is a PNG", async (t) => {
  const uri = await upload(alice, logo, { type: "image/png" });
  const { bytes, headers } = await thumbnailOf(uri, "width=96&height=96&method=crop");
  t.equal(headers.get("content-type"), "image/png");
  t.equal(await sizeOf(bytes), "96x96");
});

t.test("getContentThumbnailAuthed: animated only for who asks for it", async (t) => {
  const uri = await upload(alice, film, { type: "image/gif" });
  const moving = await thumbnailOf(uri, "width=100&height=100&animated=true");
  t.equal(moving.headers.get("content-type"), "image/webp");
  t.equal(await sizeOf(moving.bytes), "240x240 2 frames");
  for (const query of [
    "width=100&height=100&animated=false",
    "width=100&height=100",
    "width=600&height=600",
  ]) {
    const still = await thumbnailOf(uri, query);
    t.equal(still.headers.get("content-type"), "image/png", query);
    t.notMatch(await sizeOf(still.bytes), /frames/);
  }
});

t.test("getContentThumbnailAuthed: what is no picture has no thumbnail", async (t) => {
  const uri = await upload(alice, "just text", { type: "image/png" });
  for (let time = 0; time < 2; time++) {
    const { status, json } = await thumbnailOf(uri, "width=32&height=32");
    t.equal(status, 400);
    t.equal(json["errcode"], "M_UNKNOWN");
  }
  const empty = await thumbnailOf(await upload(alice, ""), "width=32&height=32");
  t.equal(empty.status, 400);
});

t.test("getContentThumbnailAuthed: a picture of too many pixels is refused", async (t) => {
  const header = Buffer.from(icon);
  header.writeUInt32BE(100_000, 16);
  header.writeUInt32BE(100_000, 20);
  const { crc32 } = await import("node:zlib");
  header.writeUInt32BE(crc32(header.subarray(12, 29)), 29);
  const { status, json } = await thumbnailOf(await upload(alice, header), "width=32&height=32");
  t.equal(status, 413);
  t.equal(json["errcode"], "M_TOO_LARGE");
});

t.test("getContentThumbnailAuthed: sizes that make no sense", async (t) => {
  const uri = await upload(alice, photo);
  for (const query of [
    "height=32",
    "width=32",
    "width=0&height=32",
    "width=-1&height=32",
    "width=1.5&height=32",
    "width=wide&height=32",
    "width=32&height=32&method=stretch",
    "width=32&height=32&animated=maybe",
    "width=32&height=32&timeout_ms=soon",
  ]) {
    const { status, json } = await thumbnailOf(uri, query);
    t.equal(status, 400, query);
    t.match(json["errcode"], /^M_(INVALID|MISSING)_PARAM$/);
  }
});

t.test("getContentThumbnailAuthed: many at once are made once", async (t) => {
  const uri = await upload(alice, photo);
  const query = "width=256&height=256&method=crop";
  const answers = await Promise.all(Array.from({ length: 8 }, () => thumbnailOf(uri, query)));
  t.ok(answers.every(({ status }) => status === 200));
  t.equal(new Set(answers.map(({ headers }) => headers.get("etag"))).size, 1);
});
