import type { FaultListener } from "../../streams.ts";
import type { ReaderPool } from "./reader-pool.ts";
import type { Writer } from "./writer.ts";

/** Commits that share one checkpoint: fewer leave the log short enough, and an idle server's reading worker asleep. */
const commitsPerCheckpoint = 64;
/** The shortest time between two checkpoints. */
const intervalMs = 1_000;
/** 64 MiB of pages: a longer log makes reading slower and a restart longer. */
const maxLogPages = 16_384;

/** Keeps the write-ahead log short, without a commit ever waiting for it. */
export class Checkpointer {
  readonly #readers: ReaderPool;
  readonly #writer: Writer;
  readonly #onFault: FaultListener;
  #timer: NodeJS.Timeout | undefined;
  #commits = 0;
  #closed = false;

  constructor(readers: ReaderPool, writer: Writer, onFault: FaultListener) {
    this.#readers = readers;
    this.#writer = writer;
    this.#onFault = onFault;
  }

  /** To be told of every commit. */
  committed(): void {
    this.#commits++;
    if (this.#closed || this.#timer || this.#commits < commitsPerCheckpoint) return;
    this.#commits = 0;
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
