/** Work that goes on after its request, such as deleting a room: what is to be done, and how far it is. */
export interface NewJob {
  readonly jobId: string;
  /** Which work; see `src/jobs`. */
  readonly kind: string;
  /** The room, user or server that it is about; empty for what is about the whole server. */
  readonly subject: string;
  /** JSON: what was asked for. */
  readonly params: string;
  /** Who asked for it: a user ID, or what acts instead of a user. */
  readonly createdBy: string;
  readonly createdTs: number;
}

export type JobState = "waiting" | "running" | "done" | "failed" | "cancelled";
export type JobEnd = Extract<JobState, "done" | "failed" | "cancelled">;

/** How far a job is. */
export interface JobProgress {
  /** JSON: where the next part begins; `null` before the first part. */
  readonly cursor: string | null;
  readonly doneCount: number;
  /** `null` while nobody knows. */
  readonly totalCount: number | null;
}

export interface Job extends NewJob, JobProgress {
  readonly state: JobState;
  /** JSON: what came of it; `null` until it is done. */
  readonly result: string | null;
  /** Why it failed. */
  readonly error: string | null;
  readonly startedTs: number | null;
  readonly endedTs: number | null;
}

export interface JobQuery {
  /** Jobs made before this moment, or in it with a lower ID: where a list goes on. */
  readonly before?: Pick<Job, "createdTs" | "jobId"> | undefined;
  readonly limit: number;
  readonly kind?: string | undefined;
  readonly subject?: string | undefined;
  readonly state?: JobState | undefined;
}

export type JobAdded = "added" | "already-active" | "too-many";

export interface JobStore {
  /** At most one job of a kind is active for a subject, and at most `maxActive` in all. */
  add(job: NewJob, maxActive: number): Promise<JobAdded>;
  find(jobId: string): Promise<Job | undefined>;
  /** The newest first. */
  list(query: JobQuery): Promise<readonly Job[]>;
  /** Those that are running first, since a stopped server has left them, then those that wait, the oldest first. */
  active(limit: number): Promise<readonly Job[]>;
  start(jobId: string, ts: number): Promise<void>;
  /** Stores how far it is; the next part begins there, even after a crash. */
  advance(jobId: string, progress: JobProgress): Promise<void>;
  /** @returns false when it had ended before */
  end(
    jobId: string,
    end: {
      readonly state: JobEnd;
      readonly ts: number;
      readonly result: string | null;
      readonly error: string | null;
    },
  ): Promise<boolean>;
  /** Takes some away that ended before a time. @returns how many went */
  removeEndedBefore(ts: number, limit: number): Promise<number>;
}
