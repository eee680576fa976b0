import { workerScript } from "../../../threads/worker-script.ts";
import type { IndexProgress, IndexQuery, RoomToIndex, SearchHits, SearchIndex } from "../../search-index.ts";
import { StorageError } from "../../errors.ts";
import type { FaultListener } from "../../streams.ts";
import type { ReaderReply, WorkerOptions } from "../engine/messages.ts";
import { unwrapOutcome, WorkerLink } from "../engine/worker-link.ts";

export interface SearchWorkerOptions extends WorkerOptions {
  readonly indexFile: string;
  readonly mayWrite: boolean;
}

const cacheKib = 8 * 1024;
/** A search that comes when so many wait is refused. */
const maxWaiting = 100;

/**
 * The index in a file of its own beside the database, with a worker that writes it and one that searches: neither sends
 * nor other readers ever wait for it, and no search for the merging of what was written. Both begin when they are needed.
 */
export class SqliteSearchIndex implements SearchIndex, AsyncDisposable {
  readonly #file: string;
  readonly #indexFile: string;
  readonly #onFault: FaultListener;
  #indexer: WorkerLink<ReaderReply> | undefined;
  #searcher: WorkerLink<ReaderReply> | undefined;
  #closing = false;

  constructor(file: string, indexFile: string, onFault: FaultListener) {
    this.#file = file;
    this.#indexFile = indexFile;
    this.#onFault = onFault;
  }

  async begin(position: number): Promise<IndexProgress> {
    return (await this.#ask(this.#indexing(), "begin", [position])) as IndexProgress;
  }

  async reached(position: number): Promise<void> {
    await this.#ask(this.#indexing(), "reached", [position]);
  }

  async indexRooms(rooms: readonly RoomToIndex[], limit: number): Promise<number[]> {
    return (await this.#ask(this.#indexing(), "indexRooms", [rooms, limit])) as number[];
  }

  async tidy(): Promise<boolean> {
    return (await this.#ask(this.#indexing(), "tidy", [])) as boolean;
  }

  async find(query: IndexQuery): Promise<SearchHits> {
    const searcher = this.#searching();
    if (searcher.pending >= maxWaiting) throw new StorageError("overloaded", "too many searches are waiting");
    return (await this.#ask(searcher, "find", [query])) as SearchHits;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    await this.#searcher?.close();
    await this.#indexer?.close();
  }

  async #ask(worker: WorkerLink<ReaderReply>, name: string, args: unknown[]): Promise<unknown> {
    const reply = await worker.request({ calls: [["search", name, args]] });
    return unwrapOutcome(reply.outcomes[0]);
  }

  #indexing(): WorkerLink<ReaderReply> {
    this.#indexer ??= this.#start(true, () => {
      this.#indexer = undefined;
    });
    return this.#indexer;
  }

  #searching(): WorkerLink<ReaderReply> {
    this.#searcher ??= this.#start(false, () => {
      this.#searcher = undefined;
    });
    return this.#searcher;
  }

  /** What a lost worker was asked has failed; the next question starts another. */
  #start(mayWrite: boolean, forget: () => void): WorkerLink<ReaderReply> {
    if (this.#closing) throw new StorageError("closed", "the database is closing");
    const options: SearchWorkerOptions = {
      file: this.#file,
      cacheKib,
      indexFile: this.#indexFile,
      mayWrite,
    };
    const worker = new WorkerLink<ReaderReply>(workerScript("search-worker", import.meta), options);
    void this.#replaceWhenLost(worker, forget);
    return worker;
  }
  async #replaceWhenLost(worker: WorkerLink<ReaderReply>, forget: () => void): Promise<void> {
    const error = await worker.lost;
    forget();
    this.#onFault(error);
  }
}
