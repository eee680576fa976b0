import type { RemoteMediaStore } from "../../storage/remote-media.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { ReferencedBlobs } from "./referenced-blobs.ts";

export interface RemoteMediaEvictionParts {
  readonly store: RemoteMediaStore;
  readonly references: ReferencedBlobs;
  readonly clock: Clock;
  /** How much room all files of other servers may take. */
  readonly maxBytes: number;
  /** How long a file is kept that nobody asks for; `null` as long as there is room. */
  readonly retentionMs: number | null;
}

/** The total is looked at again when so much of the bound has come in since. */
const uncheckedShare = 0.05;
/** What goes, goes until so much of the bound is free. */
const freedShare = 0.1;
/** What was fetched just now is about to be read. */
const minAgeMs = 60_000;
const batchSize = 100;
/** The rest waits for the next round, so that the round ends. */
const maxBatches = 1_000;

/** Takes files of other servers away that nobody needs: they can be fetched again. */
export class RemoteMediaEviction {
  readonly #parts: RemoteMediaEvictionParts;
  /** Since the total was looked at. At the start nobody knows. */
  #uncheckedBytes = Infinity;
  #making: Promise<void> | undefined;

  constructor(parts: RemoteMediaEvictionParts) {
    this.#parts = parts;
  }

  /** To be called when a file has been stored. */
  async stored(sizeBytes: number): Promise<void> {
    this.#uncheckedBytes += sizeBytes;
    if (this.#uncheckedBytes > this.#parts.maxBytes * uncheckedShare) await this.keepWithinBound();
  }

  /** Removes what was asked for longest ago, as long as there is too much. */
  async keepWithinBound(): Promise<void> {
    const { store, maxBytes } = this.#parts;
    this.#uncheckedBytes = 0;
    const target = maxBytes * (1 - freedShare);
    const total = await store.totalBytes();
    if (total > maxBytes * (1 - uncheckedShare)) await this.makeRoom(total - target);
  }

  /** Removes what was asked for longest ago: so many bytes, if there are as many. Who asks meanwhile waits for the same. */
  makeRoom(bytes: number): Promise<void> {
    this.#making ??= this.#removeUnused(minAgeMs, bytes).finally(() => {
      this.#making = undefined;
    });
    return this.#making;
  }

  /** Removes what nobody has asked for in so long as the configuration says. */
  async removeOld(): Promise<void> {
    const { retentionMs } = this.#parts;
    if (retentionMs !== null) await this.#removeUnused(retentionMs, Infinity);
  }

  async #removeUnused(minUnusedMs: number, bytes: number): Promise<void> {
    const { store, references, clock } = this.#parts;
    const sinceTs = clock.nowMs() - minUnusedMs;
    let left = bytes;
    for (let batch = 0; batch < maxBatches && left > 0; batch++) {
      const unused = await store.listUnused(sinceTs, batchSize);
      const going = [];
      for (const { sizeBytes, serverName, mediaId } of unused) {
        if (left <= 0) break;
        left -= sizeBytes;
        going.push({ serverName, mediaId });
      }
      await references.release(await store.remove(going));
      if (unused.length < batchSize) return;
    }
  }
}
