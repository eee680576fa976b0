import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import t from "tap";
import { anonymous, registerUser } from "../support/client.ts";
import { fetchBytes, mediaPath, send, upload } from "../support/media.ts";
import { startServer } from "../support/server.ts";
import { until } from "../support/within.ts";

const maxUploadBytes = 2_000_000;
const server = await startServer({ media: { max_upload_bytes: maxUploadBytes } });
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");

const download = (uri: string, rest = "", headers: Record<string, string> = {}) =>
  fetchBytes(bob, "getContentAuthed", mediaPath("download", uri, rest), headers);

t.test("uploadContent, getContentAuthed: what is uploaded can be downloaded, small or large", async (t) => {
  for (const size of [0, 1, 5_000, 300_000, maxUploadBytes]) {
    const bytes = randomBytes(size);
    const uri = await upload(alice, bytes, { type: "image/png", filename: "Käse.png" });
    t.match(uri, /^mxc:\/\/hearth\.test\/[A-Za-z0-9_-]{20,}$/);
    const got = await download(uri);
    t.equal(got.status, 200);
    t.ok(got.bytes.equals(bytes), `${size} bytes`);
    t.equal(got.headers.get("content-length"), String(size));
    t.equal(got.headers.get("content-type"), "image/png");
    t.equal(got.headers.get("content-disposition"), "inline; filename*=utf-8''K%C3%A4se.png");
  }
});

t.test("uploadContent: a body without announced length", async (t) => {
  const pieces = Array.from({ length: 20 }, () => randomBytes(10_000));
  const path = "/_matrix/media/v3/upload?filename=a.bin";
  const body = await new Promise<string>((resolve, reject) => {
    const headers = { Authorization: `Bearer ${alice.accessToken}`, "Transfer-Encoding": "chunked" };
    const sending = request(server.url + path, { method: "POST", headers }, (response) => {
      response.setEncoding("utf8").once("data", resolve).once("error", reject);
    });
    for (const piece of pieces) sending.write(piece);
    sending.end();
  });
  const got = await download(String((JSON.parse(body) as Record<string, unknown>)["content_uri"]));
  t.ok(got.bytes.equals(Buffer.concat(pieces)));
  t.equal(got.headers.get("content-type"), "application/octet-stream", "when nobody says what it is");
  t.equal(got.headers.get("content-disposition"), 'attachment; filename="a.bin"');
});

t.test("uploadContent: too much is refused, announced or not, and leaves nothing behind", async (t) => {
  const tooMuch = randomBytes(maxUploadBytes + 1);
  const announced = await send(alice, "uploadContent", "POST", "/_matrix/media/v3/upload", tooMuch);
  t.equal(announced.status, 413);
  t.equal(announced.json["errcode"], "M_TOO_LARGE");
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const headers = { Authorization: `Bearer ${alice.accessToken}`, "Transfer-Encoding": "chunked" };
    const sending = request(
      `${server.url}/_matrix/media/v3/upload`,
      { method: "POST", headers },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    sending.once("error", reject);
    sending.end(tooMuch);
  });
  t.equal(status, 413);
  t.strictSame(readdirSync(join(server.folder, "media", "incoming")), []);
});

t.test("uploadContent: only users upload, and a filename has an end", async (t) => {
  const nobody = await send(anonymous(server), "uploadContent", "POST", "/_matrix/media/v3/upload", "abc");
  t.equal(nobody.status, 401);
  const filename = "x".repeat(1025);
  const named = await send(alice, "uploadContent", "POST", "/_matrix/media/v3/upload", "abc", { filename });
  t.equal(named.status, 400);
  t.equal(named.json["errcode"], "M_INVALID_PARAM");
});

t.test("uploadContent: a client that goes away midway leaves nothing behind", async (t) => {
  const incoming = () => readdirSync(join(server.folder, "media", "incoming"));
  const headers = { Authorization: `Bearer ${alice.accessToken}`, "Content-Length": "100000" };
  const sending = request(`${server.url}/_matrix/media/v3/upload`, { method: "POST", headers });
  const broken = once(sending, "error");
  sending.write(randomBytes(50_000));
  await until(10_000, "the beginning of an upload", () => incoming().length > 0);
  sending.destroy();
  await until(10_000, "what is left of an upload to go", () => incoming().length === 0);
  t.match(await broken, [{ code: "ECONNRESET" }]);
});

t.test("getContentAuthed: what browsers are told about a file", async (t) => {
  const { headers } = await download(await upload(alice, "<script>", { type: "text/html" }));
  t.equal(headers.get("content-type"), "text/html");
  t.equal(headers.get("content-disposition"), "attachment");
  t.equal(headers.get("x-content-type-options"), "nosniff");
  t.equal(headers.get("cross-origin-resource-policy"), "cross-origin");
  t.match(headers.get("content-security-policy"), /^sandbox; default-src 'none'; script-src 'none';/);
  t.match(headers.get("cache-control"), /private.*immutable/);
  t.equal(headers.get("access-control-allow-origin"), "*");
});

t.test("getContentAuthed: a type that is none is served as bytes", async (t) => {
  for (const type of ["nonsense", "a/b/c", `image/${"x".repeat(300)}`]) {
    const { headers } = await download(await upload(alice, "abc", { type }));
    t.equal(headers.get("content-type"), "application/octet-stream", type);
  }
  const kept = await download(await upload(alice, "abc", { type: "text/plain; charset=iso-8859-1" }));
  t.equal(kept.headers.get("content-type"), "text/plain; charset=iso-8859-1");
});

t.test("getContentOverrideNameAuthed: the path's name counts", async (t) => {
  const uri = await upload(alice, "abc", { type: "text/plain", filename: "uploaded.txt" });
  const path = mediaPath("download", uri, `/${encodeURIComponent("my other name.txt")}`);
  const got = await fetchBytes(bob, "getContentOverrideNameAuthed", path);
  t.equal(got.status, 200);
  t.equal(got.bytes.toString(), "abc");
  t.equal(got.headers.get("content-disposition"), 'inline; filename="my other name.txt"');
});

t.test("getContentAuthed: parts of a file", async (t) => {
  for (const size of [1_000, 600_000]) {
    const bytes = randomBytes(size);
    const uri = await upload(alice, bytes);
    const part = await download(uri, "", { Range: "bytes=100-" });
    t.equal(part.status, 206);
    t.ok(part.bytes.equals(bytes.subarray(100)));
    t.equal(part.headers.get("content-range"), `bytes 100-${size - 1}/${size}`);
    const beyond = await download(uri, "", { Range: `bytes=${size}-` });
    t.equal(beyond.status, 416);
    t.equal(beyond.headers.get("content-range"), `bytes */${size}`);
    const changed = await download(uri, "", { Range: "bytes=0-1", "If-Range": '"another"' });
    t.equal(changed.status, 200);
    t.equal(changed.bytes.length, size);
  }
});

t.test("getContentAuthed: what a client has already is not sent again", async (t) => {
  const uri = await upload(alice, "abc");
  const etag = (await download(uri)).headers.get("etag") ?? "";
  t.match(etag, /^"[0-9a-f]{64}"$/);
  const again = await download(uri, "", { "If-None-Match": etag });
  t.equal(again.status, 304);
  t.equal(again.bytes.length, 0);
  t.equal((await download(uri, "", { "If-None-Match": '"another"' })).status, 200);
});

t.test("getContentAuthed: HEAD tells everything but the content", async (t) => {
  for (const size of [10, 500_000]) {
    const uri = await upload(alice, randomBytes(size));
    const head = await fetchBytes(bob, "getContentAuthed", mediaPath("download", uri), {}, "HEAD");
    t.equal(head.status, 200);
    t.equal(head.bytes.length, 0);
    t.equal(head.headers.get("content-length"), String(size));
  }
});

t.test("getContentAuthed, getContentThumbnailAuthed: what is not there", async (t) => {
  for (const uri of ["mxc://hearth.test/never", "mxc://hearth.test/..%2F..%2Fetc"]) {
    const file = await download(uri, "?timeout_ms=10");
    t.equal(file.status, 404, uri);
    t.equal(file.json["errcode"], "M_NOT_FOUND");
    const path = mediaPath("thumbnail", uri, "?width=32&height=32");
    const thumbnail = await fetchBytes(bob, "getContentThumbnailAuthed", path);
    t.equal(thumbnail.status, 404, uri);
  }
});

t.test("getContentAuthed, getContentOverrideNameAuthed, getContentThumbnailAuthed: users only", async (t) => {
  const uri = await upload(alice, "abc");
  const nobody = anonymous(server);
  for (const [operationId, path] of [
    ["getContentAuthed", mediaPath("download", uri)],
    ["getContentOverrideNameAuthed", mediaPath("download", uri, "/a.txt")],
    ["getContentThumbnailAuthed", mediaPath("thumbnail", uri, "?width=32&height=32")],
  ] as const) {
    t.equal((await nobody.get(path, operationId)).status, 401, path);
  }
  const old = await nobody.get(`/_matrix/media/v3/download/${uri.slice("mxc://".length)}`);
  t.equal(old.status, 404, "nor by the old paths, which have been frozen");
});

t.test("getConfigAuthed, getConfig: the bound on uploads", async (t) => {
  for (const [path, operationId] of [
    ["/_matrix/client/v1/media/config", "getConfigAuthed"],
    ["/_matrix/media/v3/config", "getConfig"],
  ] as const) {
    const answer = await alice.get(path, operationId);
    t.equal(answer.status, 200);
    t.strictSame(answer.body, { "m.upload.size": maxUploadBytes });
    t.equal((await anonymous(server).get(path, operationId)).status, 401);
  }
});

t.test("uploadContent, getContentAuthed: files outlive a restart", async (t) => {
  await using own = await startServer();
  const carol = await registerUser(own);
  const uri = await upload(carol, "kept", { type: "text/plain" });
  await own.restart();
  const got = await fetchBytes(carol, "getContentAuthed", mediaPath("download", uri));
  t.equal(got.bytes.toString(), "kept");
});

t.test("uploadContent: a user's room has an end when it is bounded", async (t) => {
  await using own = await startServer({ media: { max_bytes_per_user: 1000 } });
  const carol = await registerUser(own);
  await upload(carol, randomBytes(600));
  const refused = await send(carol, "uploadContent", "POST", "/_matrix/media/v3/upload", randomBytes(600));
  t.equal(refused.status, 403);
  t.equal(refused.json["errcode"], "M_FORBIDDEN");
  await upload(carol, randomBytes(400));
  await upload(await registerUser(own), randomBytes(600));
});
