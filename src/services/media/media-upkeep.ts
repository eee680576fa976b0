import { type BlobStore, blobShards } from "../../media/blob-store.ts";
import type { MediaStore } from "../../storage/media.ts";
import type { Clock, Timer } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { ReferencedBlobs } from "./referenced-blobs.ts";

/** With a shard at a time, every blob is looked at once in some eleven days. */
const intervalMs = 60 * 60 * 1000;
/** No upload takes this long. */
const leftoverAgeMs = 24 * 60 * 60 * 1000;
const maxExpiredAtOnce = 10_000;

/** Takes away what nobody needs any more: URIs that nothing was uploaded to, leftovers of uploads, lost blobs. */
export class MediaUpkeep implements AsyncDisposable {
  readonly #store: MediaStore;
  readonly #blobs: BlobStore;
  readonly #references: ReferencedBlobs;
  readonly #clock: Clock;
  readonly #log: Logger;
  #shard = 0;
  #timer: Timer | undefined;
  #round: Promise<void> = Promise.resolve();
  #closing = false;

  constructor(store: MediaStore, blobs: BlobStore, references: ReferencedBlobs, clock: Clock, log: Logger) {
    this.#store = store;
    this.#blobs = blobs;
    this.#references = references;
    this.#clock = clock;
    this.#log = log;
  }

  /** Looks after everything from now on, once an hour. */
  start(): void {
    if (this.#closing) return;
    this.#timer = this.#clock.setTimer(intervalMs, () => {
      this.#round = this.#roundInPeace();
    });
  }

  /** One round: a part of the blobs, everything else. */
  async tidy(): Promise<void> {
    const nowTs = this.#clock.nowMs();
    await this.#store.removeExpired(nowTs, maxExpiredAtOnce);
    await this.#blobs.removeLeftovers(nowTs - leftoverAgeMs);
    await this.#references.sweep(this.#shard, nowTs);
    this.#shard = (this.#shard + 1) % blobShards;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    this.#timer?.cancel();
    await this.#round;
  }

  async #roundInPeace(): Promise<void> {
    try {
      await this.tidy();
    } catch (error) {
      this.#log.error({ err: error }, "media could not be tidied; the next round tries again");
    }
    this.start();
  }
}
