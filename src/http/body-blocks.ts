import type { IncomingMessage } from "node:http";
import { finished } from "node:stream";
import { freeBuffer } from "../telemetry/buffer-memory.ts";

/** Few writes for a large file, little memory for many files. */
const maxBlockBytes = 512 * 1024;

/**
 * The body of a request in blocks of half a mebibyte, of which the last may be smaller. A block is good until the next one
 * is asked for: there is one memory for all. The request is not destroyed when somebody stops asking, so that a refused
 * upload gets its answer; what still comes is thrown away.
 * @throws Error when the body breaks off
 */
export async function* bodyBlocks(incoming: IncomingMessage): AsyncGenerator<Uint8Array> {
  const filler = new BlockFiller(incoming);
  try {
    for (;;) {
      const block = await filler.next();
      if (block.length === 0) return;
      yield block;
    }
  } finally {
    filler.stop();
  }
}

/** Copies the pieces of a body together as they come from the socket: waiting for each one would cost more than that. */
class BlockFiller {
  readonly #incoming: IncomingMessage;
  readonly #block: Buffer;
  #filledBytes = 0;
  /** What did not fit any more, and from where on. */
  #rest: { readonly piece: Buffer; readonly start: number } | undefined;
  #hasEnded = false;
  #failure: Error | undefined;
  #wake: () => void = () => undefined;
  readonly #stopWatching: () => void;

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
    const announcedBytes = Number(incoming.headers["content-length"] ?? maxBlockBytes);
    this.#block = Buffer.allocUnsafeSlow(Math.min(announcedBytes, maxBlockBytes));
    this.#stopWatching = finished(incoming, { writable: false }, (error) => {
      this.#hasEnded = true;
      this.#failure = error ?? undefined;
      this.#wake();
    });
    incoming.on("data", this.#take);
  }

  /** The next block, when it is full or the body has ended; empty when there is no more. */
  async next(): Promise<Uint8Array> {
    this.#filledBytes = 0;
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest) this.#add(rest.piece, rest.start);
    if (!this.#hasEnded && !this.#rest) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      this.#incoming.resume();
      await promise;
    }
    if (this.#failure) throw this.#failure;
    return this.#block.subarray(0, this.#filledBytes);
  }

  stop(): void {
    this.#stopWatching();
    this.#incoming.off("data", this.#take).resume();
    freeBuffer(this.#block);
  }

  readonly #take = (piece: Buffer): void => this.#add(piece, 0);

  #add(piece: Buffer, start: number): void {
    const end = start + piece.copy(this.#block, this.#filledBytes, start);
    this.#filledBytes += end - start;
    if (end === piece.length) {
      freeBuffer(piece);
      return;
    }
    this.#rest = { piece, start: end };
    this.#incoming.pause();
    this.#wake();
  }
}
