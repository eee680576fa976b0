import type { AuditLog } from "../../../admin/audit-log.ts";
import { type HistoryPurge, purgeHistoryJob, type PurgeEnd } from "../../../admin/history-purge.ts";
import { getPurgeStatus, purgeHistory, purgeHistoryBefore } from "../../../api/admin/history-purge.ts";
import type { BodyOf } from "../../../api/endpoint.ts";
import type { JobRunner } from "../../../jobs/job-runner.ts";
import { MatrixError } from "../../../protocol/matrix-error.ts";
import { namedRoomId } from "../../../services/named-ids.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";
import type { Request } from "../../request.ts";
import { audited } from "./audited.ts";

export interface HistoryPurgeHandlerParts {
  readonly jobs: JobRunner;
  readonly purge: HistoryPurge;
  readonly auditLog: AuditLog;
}

type Purging = Request<typeof purgeHistory | typeof purgeHistoryBefore>;

/** Synapse's admin API, "Purge History API". */
export function historyPurgeHandlers({ jobs, purge, auditLog }: HistoryPurgeHandlerParts): BoundEndpoint[] {
  const target = ({ params }: Purging) => params.roomId;
  const begin = async ({ params, body, requester }: Purging, end: PurgeEnd) => {
    const keepsLocal = body.delete_local_events !== true;
    const jobId = await purge.begin(jobs, namedRoomId(params.roomId), end, keepsLocal, requester.userId);
    return { purge_id: jobId };
  };
  return [
    audited(auditLog, purgeHistory, { target }, (request) => begin(request, endOf(request.body))),
    audited(auditLog, purgeHistoryBefore, { target }, (request) =>
      begin(request, { eventId: request.params.eventId }),
    ),
    handler(getPurgeStatus, async ({ params }) => {
      const { kind, state, error, doneCount, totalCount } = await jobs.find(params.purgeId);
      if (kind !== purgeHistoryJob)
        throw new MatrixError("M_NOT_FOUND", `There is no purge ${params.purgeId}`);
      const isOver = state === "done" || state === "failed" || state === "cancelled";
      return {
        status: state === "done" ? "complete" : isOver ? "failed" : "active",
        ...(isOver && state !== "done" && { error: error ?? "The purge has been cancelled" }),
        events_purged: doneCount,
        events_in_all: totalCount,
      };
    }),
  ];
}

/** @throws MatrixError M_BAD_JSON */
function endOf(body: BodyOf<typeof purgeHistory>): PurgeEnd {
  if (body.purge_up_to_event_id !== undefined) return { eventId: body.purge_up_to_event_id };
  if (body.purge_up_to_ts !== undefined) return { ts: body.purge_up_to_ts };
  throw new MatrixError("M_BAD_JSON", "Give purge_up_to_event_id or purge_up_to_ts: up to where to purge");
}
