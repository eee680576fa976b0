import type { BlobStore, ReceivedBlob } from "../../media/blob-store.ts";
import { KeyedLock } from "../../concurrency/keyed-lock.ts";
import type { MediaStore } from "../../storage/media.ts";

/** A blob without a reference may be one whose reference is about to be stored, until it is as old as this. */
const minOrphanAgeMs = 24 * 60 * 60 * 1000;

/**
 * Keeps blobs and the rows that refer to them together: a blob is there before its first reference, and goes after its
 * last. What a crash leaves between the two is a blob without reference, which `sweep` finds.
 */
export class ReferencedBlobs {
  readonly #blobs: BlobStore;
  readonly #store: MediaStore;
  /** So that no blob is removed between being kept again and being referred to again. */
  readonly #lock = new KeyedLock();

  constructor(blobs: BlobStore, store: MediaStore) {
    this.#blobs = blobs;
    this.#store = store;
  }

  /** Keeps received bytes and stores a reference to them. */
  keep<Result>(received: ReceivedBlob, refer: () => Promise<Result>): Promise<Result> {
    return this.#lock.run(received.sha256, async () => {
      await received.keep();
      return refer();
    });
  }

  /** Removes those of some blobs that nothing refers to. */
  async release(sha256s: readonly string[]): Promise<void> {
    for (const sha256 of sha256s) {
      await this.#lock.run(sha256, async () => {
        const unreferenced = await this.#store.unreferenced([sha256]);
        if (unreferenced.length > 0) await this.#blobs.remove(sha256);
      });
    }
  }

  /** Removes old blobs of a shard that nothing refers to. */
  async sweep(shard: number, nowTs: number): Promise<void> {
    const old = await this.#blobs.list(shard, nowTs - minOrphanAgeMs);
    await this.release(await this.#store.unreferenced(old));
  }
}
