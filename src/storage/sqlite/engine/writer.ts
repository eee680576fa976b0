import { workerScript } from "../../../threads/worker-script.ts";
import { StorageError } from "../../errors.ts";
import type { CommitListener } from "../../streams.ts";
import type { CommitObservation } from "../../../telemetry/observations.ts";
import type { Call, Outcome, WorkerOptions, WriterReply } from "./messages.ts";
import { unwrapOutcome, WorkerLink } from "./worker-link.ts";

interface WaitingWrite {
  readonly call: Call;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** More than this many waiting writes, and a new one is refused at once instead of waiting for seconds. */
const maxWaitingWrites = 20_000;
/** Bounds the time for which one group keeps others waiting. */
const maxGroupSize = 512;

/**
 * The one writer. Everything that waits while a group is being committed goes into the next group: one transaction,
 * one sync to disk. A write's promise settles after its commit, and the commit listener has been told by then.
 */
export class Writer {
  readonly #link: WorkerLink<WriterReply>;
  readonly #onCommit: CommitListener;
  readonly #observation: CommitObservation | undefined;
  #waiting: WaitingWrite[] = [];
  #busy = true;
  #closing = false;
  #idle: (() => void) | undefined;
  /** The position that the stream stands at when the writer begins. */
  readonly ready: Promise<number>;

  constructor(options: WorkerOptions, onCommit: CommitListener, observation?: CommitObservation) {
    this.#observation = observation;
    this.#link = new WorkerLink(workerScript("writer-worker", import.meta), options);
    this.#onCommit = onCommit;
    this.ready = this.#start();
  }

  /** Resolves when the writer has been lost: nothing can be written any more. */
  get lost(): Promise<Error> {
    return this.#link.lost;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  write(call: Call): Promise<unknown> {
    if (this.#closing) return Promise.reject(new StorageError("closed", "the database is closing"));
    if (this.#waiting.length >= maxWaitingWrites) {
      return Promise.reject(new StorageError("overloaded", "too many writes are waiting"));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ call, resolve, reject });
      if (!this.#busy) this.#schedule();
    });
  }

  /** Begins the write-ahead log anew, between two groups. */
  async restartLog(): Promise<void> {
    const reply = await this.#link.request("restart-log");
    unwrapOutcome(reply.outcomes[0]);
  }

  /** Commits what waits, then ends the worker. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#busy || this.#waiting.length > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    await this.#link.close();
  }

  /** Writes asked for in the same turn of the event loop share a group from the first on. */
  #schedule(): void {
    this.#busy = true;
    queueMicrotask(() => this.#pump());
  }

  #pump(): void {
    const group = this.#waiting.splice(0, maxGroupSize);
    if (group.length === 0) {
      this.#busy = false;
      this.#idle?.();
      return;
    }
    this.#busy = true;
    void this.#commit(group);
  }

  async #start(): Promise<number> {
    const { position } = await this.#link.next();
    this.#pump();
    return position;
  }

  async #commit(group: readonly WaitingWrite[]): Promise<void> {
    const observation = this.#observation?.commits.isFollowed ? this.#observation : undefined;
    const startMs = observation?.clock.monotonicMs() ?? 0;
    try {
      const reply = await this.#link.request({ calls: group.map((write) => write.call) });
      if (observation) {
        const durationMs = observation.clock.monotonicMs() - startMs;
        observation.commits.tell({ writes: group.length, durationMs });
      }
      this.#onCommit(reply.position, reply.changes);
      for (const [index, write] of group.entries()) settle(write, reply.outcomes[index]);
    } catch (error) {
      for (const write of group) write.reject(error);
    }
    this.#pump();
  }
}

function settle(write: WaitingWrite, outcome: Outcome | undefined): void {
  try {
    write.resolve(unwrapOutcome(outcome));
  } catch (error) {
    write.reject(error);
  }
}
