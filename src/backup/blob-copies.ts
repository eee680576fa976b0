import { BlobMissingError, BlobTooLargeError, type BlobStore, blobShards } from "../media/blob-store.ts";
import type { BlobReference } from "../storage/database-copies.ts";
import { BlobListParts, partOf } from "./blob-list.ts";
import type { Work } from "./files.ts";

/** So many are on their way at the same time: they share what it takes to have them on the disk. */
const atOnce = 8;

export type BlobOutcome =
  /** It was there already. */
  | "kept"
  | "copied"
  | "missing"
  /** Its bytes are not those that it is named after. */
  | "damaged";

interface BlobCopyStores {
  readonly from: Pick<BlobStore, "read">;
  readonly to: BlobStore;
}

/**
 * Copies the blobs that are not there yet. A copy is hashed on the way, so that what is there in the end is right.
 * @param references in the order of their hashes
 * @param done is told what came of each, in the same order
 */
export async function copyBlobs(
  references: Iterable<BlobReference> | AsyncIterable<BlobReference>,
  stores: BlobCopyStores,
  work: Work,
  done: (outcomes: readonly (readonly [BlobReference, BlobOutcome])[]) => Promise<void>,
): Promise<void> {
  let part = -1;
  let present = new Set<string>();
  let batch: BlobReference[] = [];
  const copyBatch = async () => {
    const known = present;
    const outcomes = await Promise.all(
      batch.map(async (reference) => {
        const isKept = known.has(reference.sha256);
        return [reference, isKept ? "kept" : await copyBlob(reference, stores, work)] as const;
      }),
    );
    batch = [];
    await done(outcomes);
  };
  for await (const reference of references) {
    if (partOf(reference) !== part) {
      await copyBatch();
      part = partOf(reference);
      present = new Set(await stores.to.list(part, Infinity));
    }
    if (batch.push(reference) === atOnce) await copyBatch();
  }
  await copyBatch();
}

async function copyBlob(
  { sha256, sizeBytes }: BlobReference,
  { from, to }: BlobCopyStores,
  work: Work,
): Promise<BlobOutcome> {
  try {
    await using received = await to.receive(bytesOf(from, { sha256, sizeBytes }, work), sizeBytes);
    if (received.sha256 !== sha256) return "damaged";
    await received.keep();
    return "copied";
  } catch (error) {
    if (error instanceof BlobMissingError) return "missing";
    if (error instanceof BlobTooLargeError) return "damaged";
    throw error;
  }
}

/** A blob's bytes, no quicker than they may be read. @throws BlobMissingError */
export async function* bytesOf(
  store: Pick<BlobStore, "read">,
  { sha256, sizeBytes }: BlobReference,
  { pace, progress }: Work,
): AsyncGenerator<Buffer> {
  const content = await store.read(sha256, { start: 0, end: sizeBytes });
  const pieces: AsyncIterable<Buffer> | Buffer[] = Buffer.isBuffer(content) ? [content] : content;
  for await (const piece of pieces) {
    yield piece;
    progress.advance(piece.length);
    await pace.spend(piece.length);
  }
}

/** Removes the blobs that are in none of some lists. @returns how many */
export async function removeUnlisted(blobs: BlobStore, lists: readonly string[]): Promise<number> {
  const readers = lists.map((list) => new BlobListParts(list));
  let removed = 0;
  for (let part = 0; part < blobShards; part++) {
    const used = new Set<string>();
    for (const reader of readers) await reader.addPart(part, used);
    for (const sha256 of await blobs.list(part, Infinity)) {
      if (used.has(sha256)) continue;
      await blobs.remove(sha256);
      removed += 1;
    }
  }
  return removed;
}
