import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import t from "tap";
import { anonymous, registerUser } from "../support/client.ts";
import { fetchBytes, send, upload } from "../support/media.ts";
import { startServer } from "../support/server.ts";
import { until } from "../support/within.ts";

const picture = await sharp({ create: { width: 500, height: 500, channels: 3, background: "green" } })
  .png()
  .toBuffer();

/** A server that serves everything to everybody, and one that serves what came before a time that is over. */
const thawed = await startServer({ media: { unauthenticated_downloads: "all" } });
t.teardown(() => thawed[Symbol.asyncDispose]());
const frozen = await startServer();
t.teardown(() => frozen[Symbol.asyncDispose]());
const alice = await registerUser(thawed, "alice");
const bob = await registerUser(frozen, "bob");

const prefixes = ["/_matrix/media/v3", "/_matrix/media/r0", "/_matrix/media/v1"];
const thumbnailSize = "?width=96&height=96&method=crop";

/** The unauthenticated endpoints' paths for a file. */
function pathsOf(prefix: string, uri: string): [operationId: string, path: string][] {
  const file = uri.slice("mxc://".length);
  return [
    ["getContent", `${prefix}/download/${file}`],
    ["getContentOverrideName", `${prefix}/download/${file}/other.png`],
    ["getContentThumbnail", `${prefix}/thumbnail/${file}${thumbnailSize}`],
  ];
}

t.test(
  "getContent, getContentOverrideName, getContentThumbnail: for everybody, where all is thawed",
  async (t) => {
    const uri = await upload(alice, picture, { type: "image/png", filename: "mine.png" });
    for (const prefix of prefixes) {
      const [download, renamed, thumbnail] = await Promise.all(
        pathsOf(prefix, uri).map(([operationId, path]) => fetchBytes(anonymous(thawed), operationId, path)),
      );
      t.ok(download?.bytes.equals(picture), prefix);
      t.equal(download?.headers.get("content-disposition"), 'inline; filename="mine.png"');
      t.match(download?.headers.get("content-security-policy"), /^sandbox;/);
      t.equal(download?.headers.get("cross-origin-resource-policy"), "cross-origin");
      t.equal(renamed?.headers.get("content-disposition"), 'inline; filename="other.png"');
      t.equal(thumbnail?.status, 200);
      t.ok((thumbnail?.bytes.length ?? Infinity) < picture.length);
    }
  },
);

t.test(
  "getContent, getContentOverrideName, getContentThumbnail: what is newer than the freeze is not there",
  async (t) => {
    const uri = await upload(bob, picture, { type: "image/png" });
    for (const prefix of prefixes) {
      for (const [operationId, path] of pathsOf(prefix, uri)) {
        const { status, json } = await fetchBytes(anonymous(frozen), operationId, path);
        t.equal(status, 404, path);
        t.equal(json["errcode"], "M_NOT_FOUND");
        t.equal((await fetchBytes(bob, operationId, path)).status, 404, "a token makes no difference");
      }
    }
  },
);

t.test("getContent: files of before the freeze stay where they were", async (t) => {
  await using own = await startServer({ media: { unauthenticated_downloads: "2999-01-01T00:00:00Z" } });
  const carol = await registerUser(own);
  const uri = await upload(carol, "abc");
  const [, path] = pathsOf("/_matrix/media/v3", uri)[0] ?? ["", ""];
  t.equal((await fetchBytes(anonymous(own), "getContent", path)).bytes.toString(), "abc");
  await using past = await startServer({ media: { unauthenticated_downloads: "2001-01-01T00:00:00Z" } });
  const later = await upload(await registerUser(past), "abc");
  const [, laterPath] = pathsOf("/_matrix/media/v3", later)[0] ?? ["", ""];
  t.equal((await fetchBytes(anonymous(past), "getContent", laterPath)).status, 404);
});

t.test("getContent, getContentThumbnail: allow_remote, allow_redirect and timeout_ms", async (t) => {
  const uri = await upload(alice, picture, { type: "image/png" });
  const file = uri.slice("mxc://".length);
  for (const query of [
    "allow_remote=false",
    "allow_redirect=true",
    "allow_remote=true&allow_redirect=false&timeout_ms=1",
  ]) {
    const got = await fetchBytes(anonymous(thawed), "getContent", `${prefixes[0]}/download/${file}?${query}`);
    t.equal(got.status, 200, query);
    const thumbnail = `${prefixes[0]}/thumbnail/${file}${thumbnailSize}&${query}`;
    t.equal((await fetchBytes(anonymous(thawed), "getContentThumbnail", thumbnail)).status, 200);
  }
  for (const query of ["allow_remote=maybe", "allow_redirect=1", "timeout_ms=-1"]) {
    const { status, json } = await fetchBytes(
      anonymous(thawed),
      "getContent",
      `${prefixes[0]}/download/${file}?${query}`,
    );
    t.equal(status, 400, query);
    t.equal(json["errcode"], "M_INVALID_PARAM");
  }
  const remote = await fetchBytes(
    anonymous(thawed),
    "getContent",
    `${prefixes[0]}/download/elsewhere.test/abc?allow_remote=false`,
  );
  t.equal(remote.json["errcode"], "M_NOT_FOUND");
});

t.test("getContent: what has not been uploaded yet", async (t) => {
  const { body } = await alice.post("/_matrix/media/v1/create", {}, "createContent");
  const file = String(body["content_uri"]).slice("mxc://".length);
  const pending = await fetchBytes(
    anonymous(thawed),
    "getContent",
    `${prefixes[0]}/download/${file}?timeout_ms=0`,
  );
  t.equal(pending.status, 504);
  t.equal(pending.json["errcode"], "M_NOT_YET_UPLOADED");
  const waiting = fetchBytes(
    anonymous(thawed),
    "getContent",
    `${prefixes[0]}/download/${file}?timeout_ms=20000`,
  );
  await send(alice, "uploadContentToMXC", "PUT", `/_matrix/media/v3/upload/${file}`, "late");
  t.equal((await waiting).bytes.toString(), "late");
});

t.test(
  "createContent, uploadContentToMXC, uploadContent, getConfig: by the paths of old clients",
  async (t) => {
    for (const [create, put] of [
      ["/_matrix/media/v3/create", "/_matrix/media/v1/upload"],
      ["/_matrix/media/r0/create", "/_matrix/media/r0/upload"],
      ["/_matrix/media/unstable/fi.mau.msc2246/create", "/_matrix/media/unstable/fi.mau.msc2246/upload"],
    ] as const) {
      const { status, body } = await alice.post(create, {}, "createContent");
      t.equal(status, 200, create);
      const file = String(body["content_uri"]).slice("mxc://".length);
      t.equal((await send(alice, "uploadContentToMXC", "PUT", `${put}/${file}`, "abc")).status, 200, put);
    }
    for (const prefix of prefixes) {
      t.equal((await send(alice, "uploadContent", "POST", `${prefix}/upload`, "abc")).status, 200);
      t.equal((await alice.get(`${prefix}/config`, "getConfig")).status, 200);
    }
  },
);

t.test("uploadContent: what a crash left of an upload goes at the next start", async (t) => {
  await using own = await startServer();
  const carol = await registerUser(own);
  const incoming = join(own.folder, "media", "incoming");
  writeFileSync(join(incoming, "leftover"), "half of a file");
  const uri = await upload(carol, "whole");
  t.strictSame(readdirSync(incoming), ["leftover"]);
  await own.restart();
  await until(10_000, "the leftover to go", () => readdirSync(incoming).length === 0);
  const path = `/_matrix/client/v1/media/download/${uri.slice("mxc://".length)}`;
  t.equal((await fetchBytes(carol, "getContentAuthed", path)).bytes.toString(), "whole");
});
