import { availableParallelism } from "node:os";
import type { CommitObservation } from "../../../telemetry/observations.ts";
import { StorageError } from "../../errors.ts";
import type { CommitListener, FaultListener } from "../../streams.ts";
import { operationTable } from "../stores/index.ts";
import { type Connection, openConnection } from "./connection.ts";
import type { Executor } from "./operations.ts";
import { Checkpointer } from "./checkpointer.ts";
import { ReaderPool } from "./reader-pool.ts";
import { Writer } from "./writer.ts";

const pointCacheKib = 8 * 1024;
const writerCacheKib = 16 * 1024;
const readerCacheKib = 8 * 1024;

/** Runs each storage operation where its mode wants it: here, on a reading worker, or on the writer. */
export class Engine implements Executor {
  readonly #here: Connection;
  readonly #writer: Writer;
  readonly #readers: ReaderPool;
  readonly #checkpointer: Checkpointer;
  #closing = false;

  /** The file's schema has to be up to date. */
  constructor(
    file: string,
    onCommit: CommitListener,
    onFault: FaultListener,
    observation?: CommitObservation,
  ) {
    this.#here = openConnection(file, { readonly: true, cacheKib: pointCacheKib });
    const committed: CommitListener = (position, changes) => {
      this.#checkpointer.committed();
      onCommit(position, changes);
    };
    this.#writer = new Writer({ file, cacheKib: writerCacheKib }, committed, observation);
    this.#readers = new ReaderPool(
      { file, cacheKib: readerCacheKib },
      Math.max(1, availableParallelism() - 1),
      onFault,
    );
    this.#checkpointer = new Checkpointer(this.#readers, this.#writer, onFault);
  }

  /** The position that the stream stands at, once operations can run. */
  get ready(): Promise<number> {
    return this.#writer.ready;
  }

  /** Resolves when the writer has been lost: nothing can be written any more. */
  get lost(): Promise<Error> {
    return this.#writer.lost;
  }

  /** How many writes wait for the next group commit. */
  get waitingWrites(): number {
    return this.#writer.waiting;
  }

  async run(store: string, name: string, args: unknown[]): Promise<unknown> {
    const operation = operationTable[store]?.[name];
    if (!operation) throw new StorageError("failed", `no operation ${store}.${name}`);
    if (operation.mode === "write") return this.#writer.write([store, name, args]);
    if (operation.mode === "scan") return this.#readers.read([store, name, args]);
    if (this.#closing) throw new StorageError("closed", "the database is closing");
    return operation.run(this.#here, ...(args as never[]));
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#checkpointer.close();
    await this.#readers.close();
    this.#here.close();
    await this.#writer.close();
  }
}
