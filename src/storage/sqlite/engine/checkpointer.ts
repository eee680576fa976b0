import type { FaultListener } from "../../streams.ts";
import type { ReaderPool } from "./reader-pool.ts";
import type { Writer } from "./writer.ts";

/** How long committed pages stay in the write-ahead log before they are copied into the database. */
const intervalMs = 1_000;
/** 64 MiB of pages: a longer log makes reading slower and a restart longer. */
const maxLogPages = 16_384;

/** Keeps the write-ahead log short, without a commit ever waiting for it. */
export class Checkpointer {
  readonly #readers: ReaderPool;
  readonly #writer: Writer;
  readonly #onFault: FaultListener;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(readers: ReaderPool, writer: Writer, onFault: FaultListener) {
    this.#readers = readers;
    this.#writer = writer;
    this.#onFault = onFault;
  }

  /** To be told of every commit. */
  committed(): void {
    if (this.#closed || this.#timer) return;
    this.#timer = setTimeout(() => void this.#run(), intervalMs);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    try {
      const logPages = await this.#readers.checkpoint();
      if (logPages > maxLogPages) await this.#writer.restartLog();
    } catch (error) {
      // A database that is closed meanwhile checkpoints by itself.
      if (!this.#closed) this.#onFault(error);
    } finally {
      this.#timer = undefined;
    }
  }
}
