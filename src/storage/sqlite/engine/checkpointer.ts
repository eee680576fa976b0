import type { FaultListener } from "../../streams.ts";
import type { ReaderPool } from "./reader-pool.ts";
import type { Writer } from "./writer.ts";

/** Commits that share one checkpoint: fewer leave the log short enough, and an idle server's reading worker asleep. */
const commitsPerCheckpoint = 64;
/** The shortest time between two checkpoints. */
const intervalMs = 1_000;
/** 64 MiB of pages: a longer log makes reading slower and a restart longer. */
const maxLogPages = 16_384;
/** 4 MiB: when more is left to copy, a reader of an old state holds the log, such as a backup, and it cannot begin anew. */
const maxPagesLeft = 1_024;

/** Keeps the write-ahead log short, without a commit ever waiting for it. */
export class Checkpointer {
  readonly #readers: Pick<ReaderPool, "checkpoint">;
  readonly #writer: Pick<Writer, "restartLog">;
  readonly #onFault: FaultListener;
  #timer: NodeJS.Timeout | undefined;
  #commits = 0;
  #closed = false;

  constructor(
    readers: Pick<ReaderPool, "checkpoint">,
    writer: Pick<Writer, "restartLog">,
    onFault: FaultListener,
  ) {
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
      const { logPages, copiedPages } = await this.#readers.checkpoint();
      const isHeld = logPages - copiedPages > maxPagesLeft;
      if (logPages > maxLogPages && !isHeld) await this.#writer.restartLog();
    } catch (error) {
      // A database that is closed meanwhile checkpoints by itself.
      if (!this.#closed) this.#onFault(error);
    } finally {
      this.#timer = undefined;
    }
  }
}
