import { freeBuffer } from "../telemetry/buffer-memory.ts";

/** As large as this a piece is written by itself. */
const largeBytes = 128 * 1024;

/** Puts small pieces together before they are written: somebody may send a byte at a time. */
export class GatheredWrites implements Disposable {
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #blockBytes: number;
  #block: Buffer | undefined;
  #gatheredBytes = 0;

  /** @param blockBytes are written at once, at most, unless a piece is larger. */
  constructor(write: (bytes: Uint8Array) => Promise<void>, blockBytes: number) {
    this.#write = write;
    this.#blockBytes = blockBytes;
  }

  /** Writes a piece, or takes a copy of it. */
  async add(piece: Uint8Array): Promise<void> {
    if (piece.length === 0) return;
    if (this.#gatheredBytes + piece.length > this.#blockBytes) await this.flush();
    if (piece.length >= Math.min(largeBytes, this.#blockBytes)) {
      await this.flush();
      await this.#write(piece);
      return;
    }
    this.#block ??= Buffer.allocUnsafeSlow(this.#blockBytes);
    this.#block.set(piece, this.#gatheredBytes);
    this.#gatheredBytes += piece.length;
  }

  /** Writes what has been gathered. */
  async flush(): Promise<void> {
    if (!this.#block || this.#gatheredBytes === 0) return;
    await this.#write(this.#block.subarray(0, this.#gatheredBytes));
    this.#gatheredBytes = 0;
  }

  [Symbol.dispose](): void {
    if (this.#block) freeBuffer(this.#block);
  }
}
