import { cancelJob, getJob, listJobs } from "../../../api/admin/jobs.ts";
import type { JobRunner } from "../../../jobs/job-runner.ts";
import type { JsonValue } from "../../../protocol/json.ts";
import { MatrixError } from "../../../protocol/matrix-error.ts";
import type { AuditLog } from "../../../admin/audit-log.ts";
import type { Job } from "../../../storage/jobs.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";
import { audited } from "./audited.ts";
import { pageSize } from "./paging.ts";

/** Work that goes on after its request: how far it is, and cancelling it. */
export function jobHandlers(jobs: JobRunner, auditLog: AuditLog): BoundEndpoint[] {
  return [
    handler(listJobs, async ({ query }) => {
      const limit = pageSize(query.limit);
      const { kind, subject, state } = query;
      const list = await jobs.list({ before: placeFrom(query.from), limit, kind, subject, state });
      const last = list.at(-1);
      const isMore = last !== undefined && list.length === limit;
      return { jobs: list.map(jobJson), ...(isMore && { next_token: `${last.createdTs}.${last.jobId}` }) };
    }),
    handler(getJob, async ({ params }) => jobJson(await jobs.find(params.jobId))),
    audited(
      auditLog,
      cancelJob,
      {
        target: ({ params }) => params.jobId,
        look: async ({ params }) => stateJson(await jobs.find(params.jobId)),
      },
      async ({ params }) => jobJson(await jobs.cancel(params.jobId)),
    ),
  ];
}

function placeFrom(from: string | undefined): Pick<Job, "createdTs" | "jobId"> | undefined {
  if (from === undefined) return undefined;
  const [, ts, jobId] = /^(\d{1,15})\.([\w-]{1,64})$/.exec(from) ?? [];
  if (ts === undefined || jobId === undefined) {
    throw new MatrixError("M_INVALID_PARAM", "from is not the next_token of a page before");
  }
  return { createdTs: Number(ts), jobId };
}

function stateJson({ kind, subject, state }: Job) {
  return { kind, subject, state };
}

/** A job as administrators see it. Times are in milliseconds since the epoch. */
function jobJson(job: Job): object {
  return {
    id: job.jobId,
    ...stateJson(job),
    params: JSON.parse(job.params) as JsonValue,
    created_by: job.createdBy,
    created_ts: job.createdTs,
    started_ts: job.startedTs,
    ended_ts: job.endedTs,
    done: job.doneCount,
    total: job.totalCount,
    result: job.result === null ? null : (JSON.parse(job.result) as JsonValue),
    error: job.error,
  };
}
