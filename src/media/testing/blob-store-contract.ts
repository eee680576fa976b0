import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { Test } from "tap";
import { systemRandomBytes } from "../../telemetry/random.ts";
import { BlobMissingError, type BlobStore, BlobTooLargeError, blobShards } from "../blob-store.ts";

const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const bytesOf = async (body: Buffer | Readable) => (Buffer.isBuffer(body) ? body : buffer(body));
const shardOf = (sha256: string) => Number.parseInt(sha256.slice(0, 2), 16);
const largeBytes = 3_000_000;

async function keep(store: BlobStore, bytes: Buffer): Promise<string> {
  await using received = await store.receive([bytes], bytes.length);
  await received.keep();
  return received.sha256;
}

async function* breakingOff(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("abc");
  throw new Error("the line went dead");
}

/**
 * What every place for files does, be it a folder or a service elsewhere.
 * @param open makes an empty store
 */
export function blobStoreContract(t: Test, open: () => Promise<BlobStore>): void {
  readingContract(t, open);
  lifeContract(t, open);
}

function readingContract(t: Test, open: () => Promise<BlobStore>): void {
  t.test("blobs: what is kept is read back, whole and in part, small and large", async (t) => {
    const store = await open();
    for (const size of [0, 1, 1000, 512 * 1024, 512 * 1024 + 1, 1024 * 1024, largeBytes]) {
      const bytes = systemRandomBytes(size);
      const pieces = [bytes.subarray(0, 100), bytes.subarray(100, 70_000), bytes.subarray(70_000)];
      await using received = await store.receive(pieces, largeBytes);
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

  t.test(
    "blobs: several read the same at once, and one who leaves does not disturb the others",
    async (t) => {
      const store = await open();
      const bytes = systemRandomBytes(largeBytes);
      const sha256 = await keep(store, bytes);
      const bodies = await Promise.all(
        [1, 2, 3].map(() => store.read(sha256, { start: 0, end: largeBytes })),
      );
      const [left, ...others] = bodies;
      if (left instanceof Readable) left.destroy();
      const read = await Promise.all(others.map(bytesOf));
      t.ok(read.every((own) => own.equals(bytes)));
    },
  );

  t.test("blobs: what is not there is said to be missing", async (t) => {
    const store = await open();
    const sha256 = "ab".repeat(32);
    await t.rejects(store.read(sha256, { start: 0, end: 1 }), BlobMissingError);
    await t.rejects(store.read(sha256, { start: 0, end: largeBytes }), BlobMissingError);
    await t.rejects(
      store.useFile(sha256, () => Promise.resolve()),
      BlobMissingError,
    );
  });

  t.test("blobs: a program's failure with a file is its own", async (t) => {
    const store = await open();
    const sha256 = await keep(store, Buffer.from("abc"));
    await t.rejects(
      store.useFile(sha256, () => Promise.reject(new Error("no picture"))),
      { message: "no picture" },
    );
    t.equal((await bytesOf(await store.read(sha256, { start: 0, end: 3 }))).toString(), "abc");
  });
}

function lifeContract(t: Test, open: () => Promise<BlobStore>): void {
  t.test("blobs: what is received and not kept is none", async (t) => {
    const store = await open();
    const bytes = systemRandomBytes(2_000);
    const received = await store.receive([bytes], 2_000);
    await t.rejects(store.read(received.sha256, { start: 0, end: 1 }), BlobMissingError);
    await received[Symbol.asyncDispose]();
    await received[Symbol.asyncDispose]();
    await t.rejects(store.read(received.sha256, { start: 0, end: 1 }), BlobMissingError);
    await t.rejects(store.receive([bytes], 1_999), BlobTooLargeError);
    await t.rejects(store.receive([bytes, bytes], 2_000), BlobTooLargeError);
    await t.rejects(store.receive(breakingOff(), 2_000), { message: "the line went dead" });
    t.strictSame(await store.list(shardOf(received.sha256), Infinity), []);
  });

  t.test("blobs: equal bytes are one, whoever keeps them first", async (t) => {
    const store = await open();
    const bytes = Buffer.from("the same");
    const [one, two] = await Promise.all([store.receive([bytes], 100), store.receive([bytes], 100)]);
    await Promise.all([one.keep(), two.keep()]);
    await one[Symbol.asyncDispose]();
    await two[Symbol.asyncDispose]();
    t.equal(await keep(store, bytes), one.sha256);
    t.strictSame(await store.list(shardOf(one.sha256), Infinity), [one.sha256]);
    t.equal((await bytesOf(await store.read(one.sha256, { start: 0, end: 8 }))).toString(), "the same");
    await store.remove(one.sha256);
    await store.remove(one.sha256);
    t.strictSame(await store.list(shardOf(one.sha256), Infinity), []);
    t.equal(await keep(store, bytes), one.sha256, "it may come again");
  });

  t.test("blobs: each is in one shard, listed when it is old enough", async (t) => {
    const store = await open();
    const kept = await Promise.all([1, 2, 3, 4, 5].map((size) => keep(store, systemRandomBytes(size))));
    const found: string[] = [];
    for (let shard = 0; shard < blobShards; shard++) found.push(...(await store.list(shard, Infinity)));
    t.strictSame(found.toSorted(), kept.toSorted());
    for (const sha256 of kept) t.strictSame(await store.list(shardOf(sha256), 0), [], "none is that old");
  });

  t.test("blobs: leftovers of uploads are told from blobs", async (t) => {
    const store = await open();
    const sha256 = await keep(store, Buffer.from("kept"));
    await using left = await store.receive([Buffer.from("left")], 100);
    await store.removeLeftovers(0);
    await left.keep();
    t.equal((await bytesOf(await store.read(left.sha256, { start: 0, end: 4 }))).toString(), "left");
    await store.removeLeftovers(Infinity);
    t.equal((await bytesOf(await store.read(sha256, { start: 0, end: 4 }))).toString(), "kept");
  });
}
