import { once } from "node:events";
import { existsSync, readdirSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import t from "tap";
import { systemRandomBytes } from "../telemetry/random.ts";
import { BlobMissingError, BlobTooLargeError } from "./blob-store.ts";
import { FileBlobStore } from "./file-blob-store.ts";
import { blobStoreContract } from "./testing/blob-store-contract.ts";
import { openFilesIn } from "./testing/open-files.ts";

const root = t.testdir();
let opened = 0;

blobStoreContract(t, () => {
  opened += 1;
  return FileBlobStore.open(join(root, String(opened)), systemRandomBytes);
});

t.test("a large blob is a stream, whose file is closed with it", async (t) => {
  const folder = t.testdir();
  const store = await FileBlobStore.open(folder, systemRandomBytes);
  await using received = await store.receive([systemRandomBytes(1_500_000)], 1_500_000);
  await received.keep();
  const body = await store.read(received.sha256, { start: 0, end: 1_500_000 });
  if (!(body instanceof Readable)) return t.fail("not a stream");
  await once(body, "readable");
  body.destroy();
  await once(body, "close");
  if (process.platform !== "linux") return t.ok(body.closed);
  return t.strictSame(openFilesIn(folder), []);
});

t.test("what is not kept leaves nothing behind", async (t) => {
  const folder = t.testdir();
  const store = await FileBlobStore.open(folder, systemRandomBytes);
  await (await store.receive([Buffer.from("abc")], 10))[Symbol.asyncDispose]();
  await t.rejects(store.receive([Buffer.from("abc"), Buffer.from("def")], 5), BlobTooLargeError);
  t.strictSame(readdirSync(join(folder, "incoming")), []);
  t.strictSame(readdirSync(folder), ["incoming"]);
});

t.test("nobody else on the machine reads the files", { skip: process.platform === "win32" }, async (t) => {
  const folder = join(t.testdir(), "media");
  const store = await FileBlobStore.open(folder, systemRandomBytes);
  await using received = await store.receive([Buffer.from("abc")], 10);
  await received.keep();
  await store.useFile(received.sha256, async (path) => {
    t.equal(statSync(path).mode & 0o777, 0o600);
    t.equal(statSync(join(path, "..")).mode & 0o777, 0o700);
  });
});

t.test(
  "a blob of which a part is lost is not handed out: who reads it would wait for the rest",
  async (t) => {
    const folder = t.testdir();
    const store = await FileBlobStore.open(folder, systemRandomBytes);
    for (const size of [1_000, 1_500_000]) {
      await using received = await store.receive([systemRandomBytes(size)], size);
      await received.keep();
      await store.useFile(received.sha256, async (path) => truncateSync(path, size - 1));
      await t.rejects(store.read(received.sha256, { start: 0, end: size }), BlobMissingError);
      await t.resolves(store.read(received.sha256, { start: 0, end: size - 1 }).then(destroyed));
    }
    if (process.platform === "linux") t.strictSame(openFilesIn(folder), []);
  },
);

async function destroyed(body: Buffer | Readable): Promise<void> {
  if (Buffer.isBuffer(body)) return;
  body.destroy();
  await once(body, "close");
}

t.test("leftovers of a crash go when they are old", async (t) => {
  const folder = t.testdir();
  const store = await FileBlobStore.open(folder, systemRandomBytes);
  const [old, fresh] = [join(folder, "incoming", "old"), join(folder, "incoming", "fresh")];
  for (const path of [old, fresh]) writeFileSync(path, "abc");
  utimesSync(old, 1000, 1000);
  await store.removeLeftovers(2_000_000);
  t.notOk(existsSync(old));
  t.ok(existsSync(fresh));
});
