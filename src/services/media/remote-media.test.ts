import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { FileBlobStore } from "../../media/file-blob-store.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { StorageError } from "../../storage/errors.ts";
import type { RemoteMediaId } from "../../storage/remote-media.ts";
import { openSqliteDatabase } from "../../storage/sqlite/open.ts";
import { createLogTo } from "../../telemetry/log.ts";
import { systemRandomBytes } from "../../telemetry/random.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import { MediaAccess } from "./media-access.ts";
import { ReferencedBlobs } from "./referenced-blobs.ts";
import { type RemoteFile, RemoteFileError, type RemoteFiles } from "./remote-files.ts";
import { RemoteMedia } from "./remote-media.ts";
import { RemoteMediaEviction } from "./remote-media-eviction.ts";

const dayMs = 24 * 60 * 60 * 1000;
const maxCacheBytes = 100_000;
const ask = { waitMs: 0, fetchedBeforeTs: Infinity };

function failOnFault(error: unknown): never {
  throw error;
}

type Outcome = Uint8Array | RemoteFileError | Promise<Uint8Array>;

/** The service on a database and a folder of its own; what other servers have is the test's to say. */
async function openRemote(folder: string, outcomeOf: (mediaId: string) => Outcome) {
  const clock = new ManualClock(Date.now());
  const database = await openSqliteDatabase(folder, () => undefined, failOnFault);
  const store = database.stores.remoteMedia;
  const blobs = await FileBlobStore.open(join(folder, "media"), systemRandomBytes);
  const references = new ReferencedBlobs(blobs, database.stores.media);
  const log = createLogTo(process.stderr, "warn");
  const asked: string[] = [];
  const files: RemoteFiles = {
    async fetch<Result>(
      _server: string,
      mediaId: string,
      _waitMs: number,
      take: (file: RemoteFile) => Promise<Result>,
    ): Promise<Result> {
      asked.push(mediaId);
      const outcome = await outcomeOf(mediaId);
      if (outcome instanceof RemoteFileError) throw outcome;
      const bytes = (async function* () {
        yield outcome;
      })();
      return take({ minBytes: 0, contentType: "image/png", filename: "a.png", bytes });
    },
  };
  const retentionMs = 10 * dayMs;
  const eviction = new RemoteMediaEviction({
    store,
    references,
    clock,
    maxBytes: maxCacheBytes,
    retentionMs,
  });
  const access = new MediaAccess<RemoteMediaId>(store, clock, log);
  const media = new RemoteMedia({
    files,
    store,
    blobs,
    references,
    eviction,
    access,
    maxBytes: 50_000,
    clock,
    log,
  });
  return {
    asked,
    store,
    blobs,
    eviction,
    media,
    access,
    clock,
    find: (mediaId: string, server = "a.test") =>
      media.find(server, mediaId, ask).then(({ sizeBytes }) => sizeBytes, codeOf),
    pathOf: (sha256: string) => join(folder, "media", sha256.slice(0, 2), sha256),
    incoming: () => readdirSync(join(folder, "media", "incoming")),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

function codeOf(error: unknown): string {
  if (error instanceof MatrixError) return error.errcode;
  return error instanceof RemoteFileError || error instanceof StorageError ? error.failure : String(error);
}

const fileOf = (mediaId: string, bytes = 10_000) => Buffer.alloc(bytes, mediaId);

t.test("files stay within their bound: those that nobody asked for longest go", async (t) => {
  await using remote = await openRemote(t.testdir(), (mediaId) => fileOf(mediaId));
  for (let count = 0; count < 30; count++) {
    remote.clock.advance(120_000);
    t.equal(await remote.find(`file${count}`), 10_000);
    await remote.eviction.keepWithinBound();
    t.ok((await remote.store.totalBytes()) <= maxCacheBytes, `after ${count + 1} files`);
  }
  const first = await remote.store.find({ serverName: "a.test", mediaId: "file0" });
  t.equal(first, undefined);
  const last = await remote.media.find("a.test", "file29", ask);
  t.ok(existsSync(remote.pathOf(last.sha256)));
  t.equal(remote.asked.length, 30);
  t.equal(await remote.find("file0"), 10_000, "it is fetched again");
  t.equal(remote.asked.length, 31);
});

t.test("files that nobody asks for go after their time; what is asked for stays", async (t) => {
  await using remote = await openRemote(t.testdir(), (mediaId) => fileOf(mediaId));
  await remote.find("asked");
  await remote.find("unasked");
  const { sha256 } = await remote.media.find("a.test", "unasked", ask);
  await remote.access[Symbol.asyncDispose]();
  remote.clock.advance(6 * dayMs);
  await remote.find("asked");
  await remote.access[Symbol.asyncDispose]();
  remote.clock.advance(5 * dayMs);
  await remote.eviction.removeOld();
  t.ok(await remote.store.find({ serverName: "a.test", mediaId: "asked" }));
  t.notOk(await remote.store.find({ serverName: "a.test", mediaId: "unasked" }));
  t.notOk(existsSync(remote.pathOf(sha256)));
});

t.test("failures of a file are remembered for a minute; those of a moment are not", async (t) => {
  const failures: Record<string, RemoteFileError> = {
    none: new RemoteFileError("not-found", "no"),
    away: new RemoteFileError("unreachable", "no"),
    busy: new RemoteFileError("busy", "no"),
  };
  await using remote = await openRemote(t.testdir(), (mediaId) => failures[mediaId] ?? fileOf(mediaId));
  t.equal(await remote.find("none"), "M_NOT_FOUND");
  t.equal(await remote.find("none"), "M_NOT_FOUND");
  t.equal(await remote.find("busy"), "M_LIMIT_EXCEEDED");
  t.equal(await remote.find("busy"), "M_LIMIT_EXCEEDED");
  t.equal(await remote.find("away"), "M_CONNECTION_FAILED");
  t.equal(await remote.find("away"), "M_CONNECTION_FAILED");
  t.strictSame(remote.asked, ["none", "busy", "busy", "away", "away"]);
  t.equal(await remote.find("none", "b.test"), "M_NOT_FOUND", "other servers are asked");
  remote.clock.advance(61_000);
  t.equal(await remote.find("another"), 10_000);
  t.equal(await remote.find("none"), "M_NOT_FOUND");
  t.strictSame(remote.asked, ["none", "busy", "busy", "away", "away", "none", "another", "none"]);
});

t.test("what fails leaves nothing behind; a full disk lets files go that can be fetched again", async (t) => {
  const [half] = [new RemoteFileError("bad-answer", "it breaks off")];
  await using remote = await openRemote(t.testdir(), (mediaId) =>
    mediaId === "large"
      ? fileOf(mediaId, 50_001)
      : mediaId === "half"
        ? Promise.reject(half)
        : fileOf(mediaId),
  );
  t.equal(await remote.find("large"), "too-large");
  t.equal(await remote.find("half"), "M_BAD_STATUS");
  t.strictSame(remote.incoming(), []);
  await remote.find("old");
  remote.clock.advance(120_000);
  remote.blobs.receive = () => Promise.reject(new StorageError("disk-full", "full"));
  t.equal(await remote.find("new"), "disk-full");
  t.equal(await remote.store.totalBytes(), 0);
  Reflect.deleteProperty(remote.blobs, "receive");
  t.equal(await remote.find("new"), 10_000, "it is no failure of the file's");
});

t.test("one server that is slow keeps no other waiting", async (t) => {
  const slow = Promise.withResolvers<Uint8Array>();
  await using remote = await openRemote(t.testdir(), (mediaId) =>
    mediaId.startsWith("slow") ? slow.promise : fileOf(mediaId),
  );
  const waiting = Array.from({ length: 300 }, (_, index) => remote.find(`slow${index}`));
  t.equal(await remote.find("file", "b.test"), 10_000);
  slow.resolve(fileOf("slow"));
  const outcomes = await Promise.all(waiting);
  t.equal(outcomes.filter((outcome) => outcome === 10_000).length, 208);
  t.equal(outcomes.filter((outcome) => outcome === "M_LIMIT_EXCEEDED").length, 92);
});

t.test(
  "who has not signed in gets what was fetched before the freeze; what is quarantined nobody gets",
  async (t) => {
    await using remote = await openRemote(t.testdir(), (mediaId) => fileOf(mediaId));
    const before = (fetchedBeforeTs: number) =>
      remote.media
        .find("a.test", "file", { waitMs: 0, fetchedBeforeTs })
        .then(({ sizeBytes }) => sizeBytes, codeOf);
    t.equal(await before(remote.clock.nowMs()), "M_NOT_FOUND");
    t.strictSame(remote.asked, []);
    t.equal(await before(remote.clock.nowMs() + 1), 10_000);
    t.equal(await before(remote.clock.nowMs()), "M_NOT_FOUND");
    await remote.store.setQuarantined({ serverName: "a.test", mediaId: "file" }, true);
    t.equal(await before(Infinity), "M_NOT_FOUND");
    t.strictSame(remote.asked, ["file"]);
  },
);
