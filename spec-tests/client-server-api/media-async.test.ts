import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { fetchBytes, mediaPath, send } from "../support/media.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

async function reserve(client: TestClient): Promise<string> {
  const { body } = await client.post("/_matrix/media/v1/create", undefined, "createContent");
  return String(body["content_uri"]);
}

function put(client: TestClient, uri: string, bytes: string, filename?: string) {
  const path = `/_matrix/media/v3/upload/${uri.slice("mxc://".length)}`;
  const sending = { type: "text/plain", ...(filename !== undefined && { filename }) };
  return send(client, "uploadContentToMXC", "PUT", path, bytes, sending);
}

t.test("createContent, uploadContentToMXC: a URI first, the file later", async (t) => {
  const alice = await registerUser(server);
  const before = Date.now();
  const created = await alice.post("/_matrix/media/v1/create", {}, "createContent");
  t.equal(created.status, 200);
  const uri = String(created.body["content_uri"]);
  t.match(uri, /^mxc:\/\/hearth\.test\/[A-Za-z0-9_-]+$/);
  t.ok(Number(created.body["unused_expires_at"]) > before + 60 * 60 * 1000);
  const missing = await fetchBytes(alice, "getContentAuthed", mediaPath("download", uri, "?timeout_ms=0"));
  t.equal(missing.status, 504);
  t.equal(missing.json["errcode"], "M_NOT_YET_UPLOADED");
  const uploaded = await put(alice, uri, "here it is", "late.txt");
  t.equal(uploaded.status, 200);
  t.strictSame(uploaded.json, {});
  const got = await fetchBytes(alice, "getContentAuthed", mediaPath("download", uri));
  t.equal(got.bytes.toString(), "here it is");
  t.equal(got.headers.get("content-disposition"), 'inline; filename="late.txt"');
});

t.test("getContentAuthed, getContentThumbnailAuthed: a download waits for the upload", async (t) => {
  const alice = await registerUser(server);
  const uri = await reserve(alice);
  const waiting = fetchBytes(alice, "getContentAuthed", mediaPath("download", uri, "?timeout_ms=20000"));
  const path = mediaPath("thumbnail", uri, "?width=1&height=1&timeout_ms=20000");
  const thumbnail = fetchBytes(alice, "getContentThumbnailAuthed", path);
  await new Promise((resolve) => {
    setTimeout(resolve, 100);
  });
  await put(alice, uri, "no picture");
  t.equal((await waiting).bytes.toString(), "no picture");
  t.equal((await thumbnail).status, 400, "it came, and is no picture");
});

t.test("uploadContentToMXC: a file is uploaded once", async (t) => {
  const alice = await registerUser(server);
  const uri = await reserve(alice);
  const answers = await Promise.all([put(alice, uri, "one"), put(alice, uri, "two")]);
  t.strictSame(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [200, 409],
  );
  const again = await put(alice, uri, "three");
  t.equal(again.status, 409);
  t.equal(again.json["errcode"], "M_CANNOT_OVERWRITE_MEDIA");
  const winner = answers[0]?.status === 200 ? "one" : "two";
  t.equal((await fetchBytes(alice, "getContentAuthed", mediaPath("download", uri))).bytes.toString(), winner);
});

t.test("uploadContentToMXC: only who made a URI uploads to it", async (t) => {
  const [alice, bob] = [await registerUser(server), await registerUser(server)];
  const uri = await reserve(alice);
  const refused = await put(bob, uri, "mine");
  t.equal(refused.status, 403);
  t.equal(refused.json["errcode"], "M_FORBIDDEN");
  for (const other of ["mxc://hearth.test/never", `mxc://elsewhere.test/${uri.split("/").at(-1) ?? ""}`]) {
    const unknown = await put(alice, other, "abc");
    t.equal(unknown.status, 404, other);
    t.equal(unknown.json["errcode"], "M_NOT_FOUND");
  }
  t.equal((await put(alice, uri, "hers")).status, 200);
});

t.test("createContent: not too many at once", async (t) => {
  const alice = await registerUser(server);
  for (let count = 0; count < 20; count++) await reserve(alice);
  const { status, body, headers } = await alice.post("/_matrix/media/v1/create", {}, "createContent");
  t.equal(status, 429);
  t.equal(body["errcode"], "M_LIMIT_EXCEEDED");
  t.ok(Number(headers.get("retry-after")) > 0);
});
