import { basename } from "node:path";
import { Worker } from "node:worker_threads";
import { StorageError } from "../../errors.ts";
import type { Outcome, WorkerOptions, WorkerRequest } from "./messages.ts";

interface Waiting<Reply> {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: StorageError) => void;
}

/** A database worker that answers requests in the order in which they were sent. */
export class WorkerLink<Reply> {
  readonly #worker: Worker;
  readonly #waiting: Waiting<Reply>[] = [];
  readonly #exited: Promise<void>;
  readonly #lost = Promise.withResolvers<StorageError>();
  #failure: StorageError | undefined;
  #closing = false;

  constructor(script: URL, options: WorkerOptions) {
    this.#worker = new Worker(script, { workerData: options, name: basename(script.pathname) });
    this.#worker.on("message", (reply: Reply) => this.#waiting.shift()?.resolve(reply));
    this.#worker.on("error", (error) =>
      this.#fail(new StorageError("failed", "a database worker failed", { cause: error })),
    );
    this.#exited = new Promise((resolve) => {
      this.#worker.once("exit", () => {
        this.#fail(new StorageError("closed", "the database is closed"));
        resolve();
      });
    });
  }

  /** Resolves when the worker has ended without having been asked to. */
  get lost(): Promise<StorageError> {
    return this.#lost.promise;
  }

  /** How many requests have no answer yet. */
  get pending(): number {
    return this.#waiting.length;
  }

  /** The next message of the worker, without asking for one: a writer says when it is ready. */
  next(): Promise<Reply> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  request(request: WorkerRequest): Promise<Reply> {
    const reply = this.next();
    this.#worker.postMessage(request);
    return reply;
  }

  /** Ends the worker once it has answered everything sent so far. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#worker.postMessage("close" satisfies WorkerRequest);
    await this.#exited;
  }

  #fail(error: StorageError): void {
    this.#failure ??= error;
    if (!this.#closing) this.#lost.resolve(this.#failure);
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}

/** An operation's result, or the error that it ended with. */
export function unwrapOutcome(outcome: Outcome | undefined): unknown {
  if (!outcome) throw new StorageError("failed", "a database worker gave no answer");
  if ("failure" in outcome) throw new StorageError(outcome.failure, outcome.message);
  return outcome.value;
}
