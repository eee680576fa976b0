import { Rounds } from "../concurrency/rounds.ts";
import type { JsonObject } from "../protocol/json.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { Job, JobEnd, JobQuery, JobStore } from "../storage/jobs.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import type { RandomBytes } from "../telemetry/random.ts";
import type { JobKind, JobStep } from "./job-kind.ts";

export interface JobRunnerParts {
  readonly store: JobStore;
  readonly kinds: readonly JobKind[];
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly log: Logger;
}

/** Nobody means to have more work waiting than this. */
const maxActive = 1_000;
/** So many jobs take turns; the others wait. */
const jobsAtOnce = 8;
const keptEndedMs = 30 * 24 * 60 * 60 * 1000;
const removedAtOnce = 100;
const pollEveryMs = 50;
const retryAfterMs = 60_000;
/** A long part is not paid for by a pause of hours. */
const maxPauseMs = 1_000;

/**
 * Does the work that goes on after its request: one part of each job in turn, and after each part a pause as long as it
 * took, so that all jobs together take at most half of the writer. What is to be done and how far it is are stored: a
 * server that is stopped or killed goes on where it was.
 */
export class JobRunner implements AsyncDisposable {
  readonly #parts: JobRunnerParts;
  readonly #kinds: ReadonlyMap<string, JobKind>;
  readonly #rounds: Rounds;
  readonly #stopped = new AbortController();
  /** Of the job whose part is being done. */
  #current: { readonly jobId: string; readonly cancelled: AbortController } | undefined;

  constructor(parts: JobRunnerParts) {
    this.#parts = parts;
    this.#kinds = new Map(parts.kinds.map((kind) => [kind.kind, kind]));
    this.#rounds = new Rounds(() => this.#round(), parts.clock);
  }

  /** To be called at the start, for what was left. */
  begin(): void {
    this.#rounds.begin();
  }

  /**
   * Puts a job in line.
   * @param createdBy the user ID of who asks for it
   * @returns its ID
   * @throws MatrixError M_UNKNOWN when the same is being done to the subject, M_LIMIT_EXCEEDED when too much waits
   */
  async start(kind: string, subject: string, params: JsonObject, createdBy: string): Promise<string> {
    const { store, randomBytes, clock } = this.#parts;
    const jobId = randomBytes(12).toString("base64url");
    const createdTs = clock.nowMs();
    const job = { jobId, kind, subject, params: JSON.stringify(params), createdBy, createdTs };
    const added = await store.add(job, maxActive);
    if (added === "already-active") {
      throw new MatrixError(
        "M_UNKNOWN",
        `This is being done to ${subject} already: wait for it, or cancel it`,
      );
    }
    if (added === "too-many")
      throw new MatrixError("M_LIMIT_EXCEEDED", `${maxActive} jobs are waiting already`);
    this.#rounds.begin();
    return jobId;
  }

  /** @throws MatrixError M_NOT_FOUND */
  async find(jobId: string): Promise<Job> {
    const job = await this.#parts.store.find(jobId);
    if (!job) throw new MatrixError("M_NOT_FOUND", `There is no job ${jobId}, or it ended long ago`);
    return job;
  }

  /**
   * Waits for a job's end.
   * @param maxMs after so long it is returned as it is
   * @throws MatrixError M_NOT_FOUND
   */
  async ended(jobId: string, maxMs: number): Promise<Job> {
    const { clock } = this.#parts;
    const deadlineMs = clock.monotonicMs() + maxMs;
    for (;;) {
      const job = await this.find(jobId);
      if (job.endedTs !== null || clock.monotonicMs() >= deadlineMs || this.#rounds.isClosed) return job;
      await this.#pause(pollEveryMs);
    }
  }

  list(query: JobQuery): Promise<readonly Job[]> {
    return this.#parts.store.list(query);
  }

  /**
   * Ends a job where it is: what it has done stays done.
   * @throws MatrixError M_NOT_FOUND; M_BAD_STATE when it has ended
   */
  async cancel(jobId: string): Promise<Job> {
    const job = await this.find(jobId);
    if (!(await this.#end(jobId, "cancelled"))) {
      throw new MatrixError("M_BAD_STATE", `The job ${jobId} has ended already: it is ${job.state}`);
    }
    if (this.#current?.jobId === jobId) this.#current.cancelled.abort();
    return this.find(jobId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#rounds[Symbol.asyncDispose]();
  }

  async #round(): Promise<void> {
    const { store, clock, log } = this.#parts;
    try {
      for (;;) {
        const jobs = await store.active(jobsAtOnce);
        if (jobs.length === 0) return;
        for (const job of jobs) {
          if (this.#rounds.isClosed) return;
          await this.#doPart(job);
        }
        await store.removeEndedBefore(clock.nowMs() - keptEndedMs, removedAtOnce);
      }
    } catch (error) {
      log.error({ err: error }, "jobs could not be done; trying again later");
      this.#rounds.beginIn(retryAfterMs);
    }
  }

  async #doPart(job: Job): Promise<void> {
    const { store, clock, log } = this.#parts;
    const { jobId, state } = job;
    if (state === "waiting") await store.start(jobId, clock.nowMs());
    const startedMs = clock.monotonicMs();
    try {
      const step = await this.#step(job);
      const { doneCount, totalCount } = step;
      await store.advance(jobId, { cursor: JSON.stringify(step.cursor), doneCount, totalCount });
      if (step.result) await this.#end(jobId, "done", { result: JSON.stringify(step.result) });
    } catch (error) {
      if (this.#rounds.isClosed) return;
      log.error({ err: error, jobId, kind: job.kind, subject: job.subject }, "a job failed");
      await this.#end(jobId, "failed", { error: reasonOf(error) });
    }
    await this.#pause(Math.min(clock.monotonicMs() - startedMs, maxPauseMs));
  }

  async #step({ jobId, kind: name, subject, params, cursor, doneCount }: Job): Promise<JobStep> {
    const kind = this.#kinds.get(name);
    if (!kind)
      throw new MatrixError("M_UNRECOGNIZED", `This version of the server knows no jobs of kind ${name}`);
    const cancelled = new AbortController();
    this.#current = { jobId, cancelled };
    try {
      return await kind.step({
        subject,
        params: JSON.parse(params) as JsonObject,
        cursor: cursor === null ? null : (JSON.parse(cursor) as JsonObject),
        doneCount,
        signal: AbortSignal.any([cancelled.signal, this.#stopped.signal]),
      });
    } finally {
      this.#current = undefined;
    }
  }

  #end(jobId: string, state: JobEnd, end: { result?: string; error?: string } = {}): Promise<boolean> {
    const { result = null, error = null } = end;
    return this.#parts.store.end(jobId, { state, ts: this.#parts.clock.nowMs(), result, error });
  }

  /** Ends early when the server stops. */
  #pause(ms: number): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#stopped;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        timer.cancel();
        signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = clock.setTimer(ms, end);
      signal.addEventListener("abort", end);
    });
  }
}

/** What an administrator is told; everything else is in the log. */
function reasonOf(error: unknown): string {
  return error instanceof MatrixError ? error.message : "It failed unexpectedly: the server's log has more";
}
