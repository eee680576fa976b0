import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import t from "tap";
import { systemRandomBytes } from "../telemetry/random.ts";
import { BlobMissingError, BlobTooLargeError } from "./blob-store.ts";
import { FileBlobStore } from "./file-blob-store.ts";

const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const bytesOf = async (body: Buffer | Readable) => (Buffer.isBuffer(body) ? body : buffer(body));

t.test("what is kept is read back, whole and in part, small and large", async (t) => {
  const store = await FileBlobStore.open(t.testdir(), systemRandomBytes);
  for (const size of [0, 1, 1000, 512 * 1024, 512 * 1024 + 1, 1024 * 1024, 1_500_000]) {
    const bytes = systemRandomBytes(size);
    const pieces = [bytes.subarray(0, 100), bytes.subarray(100, 70_000), bytes.subarray(70_000)];
    await using received = await store.receive(pieces, 1_500_000);
    t.equal(received.sha256, hashOf(bytes));
    t.equal(received.sizeBytes, size);
    await received.keep();
    const whole = await bytesOf(await store.read(received.sha256, { start: 0, end: size }));
    t.ok(whole.equals(bytes), `${size} bytes`);
    const [start, end] = [Math.floor(size / 3), Math.ceil(size / 2)];
    const part = await bytesOf(await store.read(received.sha256, { start, end }));
    t.ok(part.equals(bytes.subarray(start, end)));
    const inFile = await store.useFile(received.sha256, (path) => readFile(path));
    t.ok(inFile.equals(bytes));
  }
});

t.test("a large blob is a stream, whose file is closed with it", async (t) => {
  const store = await FileBlobStore.open(t.testdir(), systemRandomBytes);
  await using received = await store.receive([systemRandomBytes(1_500_000)], 1_500_000);
  await received.keep();
  const body = await store.read(received.sha256, { start: 0, end: 1_500_000 });
  if (!(body instanceof Readable)) return t.fail("not a stream");
  body.destroy();
  await once(body, "close");
  return t.ok(body.closed);
});

t.test("what is not kept leaves nothing behind", async (t) => {
  const folder = t.testdir();
  const store = await FileBlobStore.open(folder, systemRandomBytes);
  await (await store.receive([Buffer.from("abc")], 10))[Symbol.asyncDispose]();
  await t.rejects(store.receive([Buffer.from("abc"), Buffer.from("def")], 5), BlobTooLargeError);
  const breaking = Readable.from(
    (async function* () {
      yield Buffer.from("abc");
      throw new Error("the line went dead");
    })(),
  );
  await t.rejects(store.receive(breaking, 100), { message: "the line went dead" });
  t.strictSame(readdirSync(join(folder, "incoming")), []);
  t.strictSame(readdirSync(folder), ["incoming"]);
});

t.test("equal bytes are one blob", async (t) => {
  const store = await FileBlobStore.open(t.testdir(), systemRandomBytes);
  const bytes = Buffer.from("the same");
  for (let time = 0; time < 2; time++) {
    await using received = await store.receive([bytes], 100);
    await received.keep();
  }
  const sha256 = hashOf(bytes);
  const shard = Number.parseInt(sha256.slice(0, 2), 16);
  t.strictSame(await store.list(shard, Infinity), [sha256]);
  t.strictSame(await store.list(shard, 0), [], "nothing is that old");
  t.strictSame(await store.list((shard + 1) % 256, Infinity), []);
  await store.remove(sha256);
  await store.remove(sha256);
  t.strictSame(await store.list(shard, Infinity), []);
});

t.test("a blob that is not there is said to be missing", async (t) => {
  const store = await FileBlobStore.open(t.testdir(), systemRandomBytes);
  const sha256 = "ab".repeat(32);
  await t.rejects(store.read(sha256, { start: 0, end: 1 }), BlobMissingError);
  await t.rejects(
    store.useFile(sha256, () => Promise.resolve()),
    BlobMissingError,
  );
});

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
