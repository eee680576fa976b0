import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { Turns } from "../concurrency/turns.ts";
import type { Clock, Timer } from "../telemetry/clock.ts";
import { workerScript } from "../threads/worker-script.ts";
import type { PageFacts } from "./page-facts.ts";
import type { PageReply, PageRequest } from "./page-worker.ts";

/** A page that could not be read within the bounds of time and memory that a page has. */
export class UnreadablePageError extends Error {
  constructor(options?: ErrorOptions) {
    super("the page takes too long to read, or too much memory", options);
    this.name = "UnreadablePageError";
  }
}

export interface PageReaderOptions {
  readonly clock: Clock;
  /** How long one page may take. */
  readonly timeoutMs?: number;
  /** How much memory the thread may take, in mebibytes. */
  readonly maxMemoryMib?: number;
}

/** Ten times what the worst page takes that there is room for, since the machine may be busy. */
const defaultTimeoutMs = 10_000;
const idleMs = 60_000;
const turnLimits = { maxAtWork: 1, maxWaiting: 100, maxWaitMs: 20_000 };
const defaultMaxMemoryMib = 64;

/**
 * Reads pages of strangers on a thread of its own, one after the other. A page that takes too long ends the thread, and
 * the next page gets a new one. Nobody needing it, there is no thread.
 */
export class PageReader implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #maxMemoryMib: number;
  readonly #turns: Turns;
  #worker: Worker | undefined;
  #idle: Timer | undefined;

  constructor({ clock, timeoutMs, maxMemoryMib }: PageReaderOptions) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs ?? defaultTimeoutMs;
    this.#maxMemoryMib = maxMemoryMib ?? defaultMaxMemoryMib;
    this.#turns = new Turns(turnLimits, clock);
  }

  /** @throws UnreadablePageError, MatrixError M_LIMIT_EXCEEDED when too many pages are waiting */
  read(bytes: Uint8Array, contentType: string | undefined): Promise<PageFacts> {
    return this.#turns.run(async () => {
      this.#idle?.cancel();
      this.#worker ??= this.#startWorker();
      const worker = this.#worker;
      try {
        return await this.#ask(worker, { bytes, contentType });
      } catch (error) {
        await this.#end();
        throw new UnreadablePageError({ cause: error });
      } finally {
        this.#idle = this.#clock.setTimer(idleMs, () => void this.#end());
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#idle?.cancel();
    await this.#end();
  }

  async #ask(worker: Worker, request: PageRequest): Promise<PageFacts> {
    const abort = new AbortController();
    using _timer = this.#clock.setTimer(this.#timeoutMs, () => abort.abort());
    const exit = once(worker, "exit", { signal: abort.signal }).then(() => {
      throw new Error("the worker has ended");
    });
    // Rejects with what the worker throws.
    const reply = once(worker, "message", { signal: abort.signal }) as Promise<[PageReply]>;
    worker.postMessage(request);
    try {
      const [facts] = await Promise.race([reply, exit]);
      return facts;
    } finally {
      abort.abort();
      await Promise.allSettled([reply, exit]);
    }
  }

  #startWorker(): Worker {
    const script = workerScript("page-worker", import.meta);
    const resourceLimits = { maxOldGenerationSizeMb: this.#maxMemoryMib };
    const worker = new Worker(script, { name: "pages", resourceLimits });
    // Whoever waits for its answer hears of it too; nobody may be waiting any more.
    worker.once("error", () => {
      if (this.#worker === worker) this.#worker = undefined;
    });
    return worker;
  }

  async #end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}
