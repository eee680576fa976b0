import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import sharp from "sharp";
import t from "tap";
import { openFilesIn } from "../../src/media/testing/open-files.ts";
import { registerUser } from "../support/client.ts";
import { fetchBytes, mediaPath, send, upload } from "../support/media.ts";
import { rawRequest } from "../support/raw-request.ts";
import { startServer } from "../support/server.ts";
import { until } from "../support/within.ts";

// Made before the server loads the same library.
const plainPhoto = sharp({ create: { width: 1000, height: 600, channels: 3, background: "green" } });
const photo = await plainPhoto
  .withExif({ IFD0: { Copyright: "SECRET PLACE" }, IFD3: { GPSLatitudeRef: "N" } })
  .withMetadata({ orientation: 6 })
  .jpeg()
  .toBuffer();

// Many requests: a few seconds, on a busy machine a minute.
t.setTimeout(120_000);
const server = await startServer({ media: { unauthenticated_downloads: "all" } });
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");
const waitMs = 20_000;

const download = (uri: string, rest = "", headers: Record<string, string> = {}, method = "GET") =>
  fetchBytes(alice, "getContentAuthed", mediaPath("download", uri, rest), headers, method);

/** The server runs in this process. */
const openFiles = () => openFilesIn(join(server.folder, "media"));

t.test(
  "getContentAuthed, getContent, getContentThumbnail: no path leads out of the repository",
  async (t) => {
    const { sha256, mediaId } = await storedFile();
    const names = [
      "../../hearth.db",
      "..%2f..%2fhearth.db",
      "..%5c..%5chearth.db",
      "%2e%2e%2f%2e%2e%2fhearth.db",
      "..%c0%af..%c0%afhearth.db",
      "%252e%252e%252fhearth.db",
      "incoming",
      "incoming%2fx",
      sha256,
      `${sha256.slice(0, 2)}%2f${sha256}`,
      `${mediaId}%00`,
      `${mediaId}%00.png`,
      `${mediaId}%0d%0aSet-Cookie:%20a=b`,
      ".",
      "..",
      "*",
      "'%20OR%201=1--",
    ];
    const places = ["/_matrix/client/v1/media", "/_matrix/media/v3", "/_matrix/media/r0"];
    for (const name of names) {
      for (const place of places) {
        // A name that could be another server's is looked for, in vain.
        for (const [path, ...further] of [
          [`${place}/download/hearth.test/${name}`],
          [`${place}/thumbnail/hearth.test/${name}?width=1&height=1`],
          [`${place}/download/${name}/${mediaId}`, 502],
        ] as const) {
          const { status, headers } = await rawRequest(server.url, {
            method: "GET",
            path,
            accessToken: alice.accessToken,
          });
          t.ok([400, 404, 405, ...further].includes(status), `${status} ${path}`);
          t.notOk("set-cookie" in headers);
        }
      }
    }
  },
);

async function storedFile() {
  const uri = await upload(alice, "abc");
  const etag = (await download(uri)).headers.get("etag") ?? "";
  return { sha256: etag.slice(1, -1), mediaId: uri.split("/").at(-1) ?? "" };
}

t.test("uploadContent, getContentOverrideNameAuthed: no name of a file gets into the headers", async (t) => {
  const names = [
    'a"; filename="evil.html',
    "a\r\nSet-Cookie: session=stolen",
    "a\nb",
    "a\u0000b",
    "a\\b",
    "a%22b",
    "a;b",
    "a'b(c)*d",
    "\u202Egpj.exe",
    "\u{1F600}.png",
    "x".repeat(1_000),
    "../../etc/passwd",
  ];
  for (const name of names) {
    const uri = await upload(alice, "abc", { type: "text/plain", filename: name });
    const replies = [await download(uri)];
    if (!name.includes("\u0000")) {
      const path = mediaPath("download", uri, `/${encodeURIComponent(name)}`);
      replies.push(await fetchBytes(alice, "getContentOverrideNameAuthed", path));
    }
    for (const { status, headers } of replies) {
      t.equal(status, 200, JSON.stringify(name));
      t.equal(headers.get("set-cookie"), null);
      const disposition = headers.get("content-disposition") ?? "";
      t.match(disposition, /^inline; filename(="[ !#-$&-[\]-~]*"|\*=utf-8''[A-Za-z0-9!~_.%-]*)$/);
    }
  }
});

t.test("uploadContent: no type of content makes a browser run it", async (t) => {
  const page = "<html><script>alert(document.domain)</script></html>";
  for (const [type, served, disposition] of [
    ["text/html", "text/html", "attachment"],
    ["image/svg+xml", "image/svg+xml", "attachment"],
    ["application/xhtml+xml", "application/xhtml+xml", "attachment"],
    ["text/xml", "text/xml", "attachment"],
    ["application/pdf", "application/pdf", "attachment"],
    ["text/javascript", "text/javascript", "attachment"],
    ["image/png, text/html", "application/octet-stream", "attachment"],
    ["image/png;a, text/html", "image/png", "inline"],
    ['image/png;a="b, text/html', "image/png", "inline"],
    ['video/webm; codecs="vp8, vorbis"', 'video/webm; codecs="vp8, vorbis"', "inline"],
    ["IMAGE/PNG", "IMAGE/PNG", "inline"],
    ["image/png\u00a0", "image/png", "inline"],
    ["image/png;\u00a0a=b", "image/png", "inline"],
    ["image", "application/octet-stream", "attachment"],
  ] as const) {
    const uri = await upload(alice, page, { type });
    for (const path of [
      mediaPath("download", uri),
      `/_matrix/media/v3/download/${uri.slice("mxc://".length)}`,
    ]) {
      const { headers, bytes } = await fetchBytes(alice, "getContentAuthed", path);
      t.equal(bytes.toString(), page);
      t.equal(headers.get("content-type"), served, type);
      t.equal(headers.get("content-disposition"), disposition, type);
      t.equal(headers.get("x-content-type-options"), "nosniff");
      t.match(headers.get("content-security-policy"), /^sandbox; default-src 'none'; script-src 'none'/);
    }
  }
});

t.test(
  "getContentThumbnailAuthed: drawings and programs are never rendered, whatever they pretend to be",
  async (t) => {
    const drawing =
      '<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"><image href="file:///etc/passwd"/></svg>';
    for (const bytes of [
      drawing,
      `<?xml version="1.0"?>${drawing}`,
      "%PDF-1.4\n1 0 obj",
      "%!PS-Adobe-3.0 EPSF-3.0",
      "push graphic-context\nviewbox 0 0 640 480\nimage over 0,0 0,0 'https://example.org/'",
      "P6\n10 10\n255\n".padEnd(400, "x"),
      "II*\u0000".padEnd(400, "\u0000"),
    ]) {
      const uri = await upload(alice, bytes, { type: "image/png" });
      const path = mediaPath("thumbnail", uri, "?width=32&height=32");
      const { status, json } = await fetchBytes(alice, "getContentThumbnailAuthed", path);
      t.equal(status, 400, bytes.slice(0, 20));
      t.equal(json["errcode"], "M_UNKNOWN");
    }
  },
);

t.test("getContentThumbnailAuthed: where a picture was taken stays in the picture", async (t) => {
  t.ok(photo.includes("SECRET PLACE"));
  const uri = await upload(alice, photo, { type: "image/jpeg" });
  for (const query of ["?width=96&height=96&method=crop", "?width=320&height=240"]) {
    const { status, bytes } = await fetchBytes(
      alice,
      "getContentThumbnailAuthed",
      mediaPath("thumbnail", uri, query),
    );
    t.equal(status, 200);
    t.notOk(bytes.includes("SECRET PLACE"));
    t.notOk(bytes.includes("Exif"));
  }
});

t.test(
  "getContentAuthed: files are closed, whoever goes away",
  { skip: process.platform !== "linux" },
  async (t) => {
    const uri = await upload(alice, randomBytes(8_000_000));
    const path = mediaPath("download", uri);
    const leave = (method: string, headers: Record<string, string>, isAtOnce: boolean) =>
      new Promise<void>((resolve) => {
        const options = {
          method,
          headers: { Authorization: `Bearer ${alice.accessToken}`, ...headers },
          agent: false,
        };
        const asked = request(server.url + path, options, (response) => {
          response.once("data", () => response.destroy());
          response.once("end", resolve).once("close", resolve);
        });
        // Its connection breaks off.
        asked.once("error", () => resolve());
        asked.end();
        if (isAtOnce)
          asked.once("socket", (socket) =>
            socket.once("connect", () => setTimeout(() => asked.destroy(), 1)),
          );
      });
    const ways = [
      leave("GET", {}, false),
      leave("GET", {}, true),
      leave("GET", { Range: "bytes=5-7000000" }, false),
      leave("HEAD", {}, false),
      leave("HEAD", {}, true),
    ];
    await Promise.all(Array.from({ length: 5 }, () => ways).flat());
    await until(waitMs, "all files to be closed", () => openFiles().length === 0);
    t.strictSame(openFiles(), []);
    t.equal((await download(uri)).bytes.length, 8_000_000);
  },
);

t.test("uploadContent: uploads that break off leave neither files nor open ones", async (t) => {
  const incoming = () => readdirSync(join(server.folder, "media", "incoming"));
  const broken: Error[] = [];
  const sending = Array.from({ length: 10 }, (_, index) => {
    const headers = { Authorization: `Bearer ${alice.accessToken}`, "Content-Length": "2000000" };
    const asked = request(`${server.url}/_matrix/media/v3/upload`, { method: "POST", headers, agent: false });
    asked.on("error", (error: Error) => broken.push(error));
    asked.write(Buffer.alloc(600_000 + index));
    return asked;
  });
  await until(waitMs, "the beginning of the uploads", () => incoming().length === sending.length);
  for (const asked of sending) asked.destroy();
  await until(waitMs, "what is left of the uploads to go", () => incoming().length === 0);
  t.equal(broken.length, sending.length, "each has been broken off, and none answered before");
  if (process.platform === "linux") t.strictSame(openFiles(), []);
});

t.test("getContentAuthed: nobody has all of the server's downloads for themselves", async (t) => {
  const { body } = await alice.post("/_matrix/media/v1/create", {}, "createContent");
  const uri = String(body["content_uri"]);
  const leaving = new AbortController();
  const path = server.url + mediaPath("download", uri, "?timeout_ms=60000");
  const headers = { Authorization: `Bearer ${alice.accessToken}` };
  const waiting = Array.from({ length: 200 }, () =>
    fetch(path, { headers, signal: leaving.signal }).then(
      ({ status }) => status,
      (error: Error) => error.name,
    ),
  );
  const small = await upload(bob, "abc");
  await until(waitMs, "the bound to be reached", async () => (await download(small)).status === 429);
  const refused = await download(small);
  t.equal(refused.json["errcode"], "M_LIMIT_EXCEEDED");
  t.ok(Number(refused.headers.get("retry-after")) > 0);
  const others = await fetchBytes(bob, "getContentAuthed", mediaPath("download", small));
  t.equal(others.status, 200, "others go on");
  leaving.abort();
  t.strictSame(new Set(await Promise.all(waiting)), new Set(["AbortError"]));
  await until(waitMs, "the places to be free", async () => (await download(small)).status === 200);
});

t.test("uploadContentToMXC: what is quarantined or another's cannot be written over", async (t) => {
  const uri = await upload(alice, "abc");
  const path = `/_matrix/media/v3/upload/${uri.slice("mxc://".length)}`;
  t.equal((await send(alice, "uploadContentToMXC", "PUT", path, "other")).status, 409);
  t.equal((await send(bob, "uploadContentToMXC", "PUT", path, "other")).status, 403);
  t.equal((await download(uri)).bytes.toString(), "abc");
});
