import type { JsonObject } from "../protocol/json.ts";

/** What a part of a job goes by. */
export interface JobPart {
  readonly subject: string;
  readonly params: JsonObject;
  /** Where the part before stopped; `null` for the first part. */
  readonly cursor: JsonObject | null;
  readonly doneCount: number;
  /** Aborted when the job is cancelled or the server stops: what takes long had better end then. */
  readonly signal: AbortSignal;
}

export interface JobStep {
  readonly cursor: JsonObject;
  readonly doneCount: number;
  /** `null` while nobody knows. */
  readonly totalCount: number | null;
  /** What came of the job: set by its last part. */
  readonly result?: JsonObject;
}

/** One kind of work that goes on after its request. */
export interface JobKind {
  /** Such as `delete-room`: it is stored, and shown to administrators. */
  readonly kind: string;
  /**
   * Does a part that keeps nobody waiting: some tens of milliseconds, none of its writes longer than ten. A part may be done
   * twice, when the server stopped before it was remembered; that must not matter.
   * @throws what makes the whole job fail: a MatrixError for what the administrator can mend
   */
  step(part: JobPart): Promise<JobStep>;
}
