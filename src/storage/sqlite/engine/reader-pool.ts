import { workerScript } from "../../../threads/worker-script.ts";
import { StorageError } from "../../errors.ts";
import type { FaultListener } from "../../streams.ts";
import type { Call, LogState, ReaderReply, WorkerOptions } from "./messages.ts";
import { unwrapOutcome, WorkerLink } from "./worker-link.ts";

const maxPendingReads = 2_000;

/** Reading workers over the same file. The first starts when the first scan comes, the next when all are busy. */
export class ReaderPool {
  readonly #options: WorkerOptions;
  readonly #size: number;
  readonly #onFault: FaultListener;
  readonly #readers: WorkerLink<ReaderReply>[] = [];
  #closing = false;

  constructor(options: WorkerOptions, size: number, onFault: FaultListener) {
    this.#options = options;
    this.#size = size;
    this.#onFault = onFault;
  }

  async read(call: Call): Promise<unknown> {
    if (this.#closing) throw new StorageError("closed", "the database is closing");
    const reader = this.#leastBusy();
    if (reader.pending >= maxPendingReads) throw new StorageError("overloaded", "too many reads are waiting");
    const reply = await reader.request({ calls: [call] });
    return unwrapOutcome(reply.outcomes[0]);
  }

  /** Copies committed pages from the write-ahead log into the database. */
  async checkpoint(): Promise<LogState> {
    if (this.#closing) return { logPages: 0, copiedPages: 0 };
    const reply = await this.#leastBusy().request("checkpoint");
    return unwrapOutcome(reply.outcomes[0]) as LogState;
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#readers.map((reader) => reader.close()));
  }

  #leastBusy(): WorkerLink<ReaderReply> {
    const [first, ...others] = this.#readers;
    if (!first) return this.#start();
    const best = others.reduce((a, b) => (b.pending < a.pending ? b : a), first);
    return best.pending > 0 && this.#readers.length < this.#size ? this.#start() : best;
  }

  #start(): WorkerLink<ReaderReply> {
    const reader = new WorkerLink<ReaderReply>(workerScript("reader-worker", import.meta), this.#options);
    this.#readers.push(reader);
    void this.#replaceWhenLost(reader);
    return reader;
  }

  /** What a lost reader was asked has failed; the next question starts another. */
  async #replaceWhenLost(reader: WorkerLink<ReaderReply>): Promise<void> {
    const error = await reader.lost;
    this.#readers.splice(this.#readers.indexOf(reader), 1);
    this.#onFault(error);
  }
}
