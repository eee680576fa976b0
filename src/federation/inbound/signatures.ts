import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { VerifyKey } from "../../protocol/ed25519.ts";
import type { Clock, Timer } from "../../telemetry/clock.ts";
import type { Pace } from "../../telemetry/pace.ts";
import { workerScript } from "../../threads/worker-script.ts";
import type { SignatureBatch } from "./signature-worker.ts";

interface Waiting {
  readonly key: VerifyKey;
  readonly message: Uint8Array;
  readonly signature: string;
  readonly resolve: (isRight: boolean) => void;
  readonly reject: (error: unknown) => void;
}

interface SignatureWorker {
  readonly worker: Worker;
  /** What it has been sent and not answered, in order. */
  readonly batches: (readonly Waiting[])[];
}

/** So few are checked at once, as fast as a worker could be asked. */
const checkedAtOnce = 4;
const maxBatch = 128;
const maxWorkers = Math.max(1, Math.min(4, availableParallelism() - 1));
/** Each takes about 12 MiB, and starts within a tenth of a second. */
const idleMs = 30_000;
/** How often it is looked whether they are done with what they have. */
const sweepMs = 1_000;

/**
 * Checks signatures, those that come in great numbers on other threads. The pool of node:crypto is not used for it: there
 * they would wait for files and for hashes of passwords, and those for them.
 */
export class Signatures implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #pace: Pace;
  #waiting: Waiting[] = [];
  readonly #workers: SignatureWorker[] = [];
  #next = 0;
  #usedAtMs = 0;
  #idleTimer: Timer | undefined;

  /** @param pace by which those who wait go on, when there are many */
  constructor(clock: Clock, pace: Pace) {
    this.#clock = clock;
    this.#pace = pace;
  }

  /** Whether a signature (Base64) of a message is the key's. */
  verify(key: VerifyKey, message: Uint8Array, signature: string): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, message, signature, resolve, reject });
      // What is asked for in the same turn of the event loop is checked together.
      if (this.#waiting.length === 1) setImmediate(() => this.#check());
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#idleTimer?.cancel();
    await Promise.all(this.#workers.map(({ worker }) => worker.terminate()));
  }

  #check(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length <= checkedAtOnce) {
      for (const { key, message, signature, resolve } of waiting) resolve(key.verify(message, signature));
      return;
    }
    for (let start = 0; start < waiting.length; start += maxBatch) {
      this.#send(waiting.slice(start, start + maxBatch));
    }
  }

  #send(batch: readonly Waiting[]): void {
    this.#usedAtMs = this.#clock.monotonicMs();
    this.#idleTimer ??= this.#clock.setTimer(idleMs, () => this.#endIdleWorkers());
    const { worker, batches } = this.#someWorker();
    batches.push(batch);
    worker.postMessage({
      publicKeys: batch.map(({ key }) => key.publicKey),
      signatures: batch.map(({ signature }) => signature),
      lengths: batch.map(({ message }) => message.length),
      messages: Buffer.concat(batch.map(({ message }) => message)),
    } satisfies SignatureBatch);
  }

  /** All of them, when none has had anything to do for a while. */
  #endIdleWorkers(): void {
    this.#idleTimer = undefined;
    const restMs = this.#usedAtMs + idleMs - this.#clock.monotonicMs();
    if (restMs > 0 || this.#workers.some(({ batches }) => batches.length > 0)) {
      this.#idleTimer = this.#clock.setTimer(Math.max(restMs, sweepMs), () => this.#endIdleWorkers());
      return;
    }
    for (const { worker } of this.#workers.splice(0)) void worker.terminate();
  }

  /** One after the other, as all batches are about as long. */
  #someWorker(): SignatureWorker {
    this.#next = (this.#next + 1) % maxWorkers;
    const known = this.#workers[this.#next];
    if (known) return known;
    const started = this.#start();
    this.#workers.push(started);
    return started;
  }

  async #tell(batch: readonly Waiting[], verdicts: readonly boolean[]): Promise<void> {
    for (const [index, { resolve }] of batch.entries()) {
      resolve(verdicts[index] === true);
      await this.#pace.breathe();
    }
  }

  #start(): SignatureWorker {
    const script = workerScript("signature-worker", import.meta);
    const started: SignatureWorker = { worker: new Worker(script, { name: "signatures" }), batches: [] };
    started.worker.unref();
    started.worker.on("message", (verdicts: readonly boolean[]) => {
      void this.#tell(started.batches.shift() ?? [], verdicts);
    });
    const end = (error: unknown) => {
      const place = this.#workers.indexOf(started);
      if (place !== -1) this.#workers.splice(place, 1);
      for (const batch of started.batches.splice(0)) for (const { reject } of batch) reject(error);
    };
    started.worker.once("error", end);
    started.worker.once("exit", () => end(new Error("a worker that checks signatures has ended")));
    return started;
  }
}
