import { deleteRoomJob, type DeletionWish, type RoomDeletion } from "../../../admin/room-deletion.ts";
import type { AuditLog } from "../../../admin/audit-log.ts";
import {
  deleteRoom,
  deleteRoomAndWait,
  getDeleteStatus,
  getDeleteStatusOfRoom,
  getRoomBlock,
  setRoomBlock,
} from "../../../api/admin/room-deletion.ts";
import type { BodyOf } from "../../../api/endpoint.ts";
import type { JobRunner } from "../../../jobs/job-runner.ts";
import { MatrixError } from "../../../protocol/matrix-error.ts";
import type { BlockedRooms } from "../../../services/rooms/blocked-rooms.ts";
import { namedRoomId } from "../../../services/named-ids.ts";
import type { Job } from "../../../storage/jobs.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";
import type { Request } from "../../request.ts";
import { audited } from "./audited.ts";

export interface RoomDeletionHandlerParts {
  readonly jobs: JobRunner;
  readonly deletion: RoomDeletion;
  readonly blocked: BlockedRooms;
  readonly auditLog: AuditLog;
}

/** A room of hundreds of thousands of events: whoever has larger ones asks for the status instead. */
const maxWaitMs = 10 * 60 * 1000;
const shownDeletions = 100;

/** Synapse's admin API, "Delete Room API" and "Block Room API". */
export function roomDeletionHandlers({
  jobs,
  deletion,
  blocked,
  auditLog,
}: RoomDeletionHandlerParts): BoundEndpoint[] {
  type Deleting = Request<typeof deleteRoom | typeof deleteRoomAndWait | typeof setRoomBlock>;
  const target = ({ params }: Deleting) => params.roomId;
  const begin = ({ params, body, requester }: Request<typeof deleteRoom | typeof deleteRoomAndWait>) =>
    deletion.begin(jobs, namedRoomId(params.roomId), wishOf(body), requester.userId);
  const told = {
    target,
    look: async ({ params }: Deleting) => ({ block: (await blocked.find(params.roomId)) !== undefined }),
  };
  return [
    audited(auditLog, deleteRoomAndWait, { target }, async (request) => {
      const jobId = await begin(request);
      const { state, result, error } = await jobs.ended(jobId, maxWaitMs);
      if (state === "done" && result !== null) return JSON.parse(result) as object;
      if (state === "failed") throw new MatrixError("M_UNKNOWN", error ?? "The room could not be deleted");
      throw new MatrixError(
        "M_UNKNOWN",
        `The room is not deleted yet: see the status of the deletion ${jobId}`,
      );
    }),
    audited(auditLog, deleteRoom, { target }, async (request) => ({ delete_id: await begin(request) })),
    handler(getDeleteStatusOfRoom, async ({ params }) => {
      const subject = namedRoomId(params.roomId);
      const found = await jobs.list({ kind: deleteRoomJob, subject, limit: shownDeletions });
      if (found.length === 0) throw new MatrixError("M_NOT_FOUND", `No deletion of ${subject} is known`);
      return { results: found.toReversed().map(deletionJson) };
    }),
    handler(getDeleteStatus, async ({ params }) => {
      const job = await jobs.find(params.deleteId);
      if (job.kind !== deleteRoomJob)
        throw new MatrixError("M_NOT_FOUND", `There is no deletion ${params.deleteId}`);
      return deletionJson(job);
    }),
    handler(getRoomBlock, async ({ params }) => {
      const block = await blocked.find(params.roomId);
      return block ? { block: true, user_id: block.blockedBy } : { block: false };
    }),
    audited(auditLog, setRoomBlock, told, async ({ params, body, requester }) => {
      if (body.block) await blocked.block(params.roomId, requester.userId);
      else await blocked.unblock(params.roomId);
      return { block: body.block };
    }),
  ];
}

function wishOf(body: BodyOf<typeof deleteRoom>): DeletionWish {
  return {
    block: body.block ?? false,
    purge: body.purge ?? true,
    forcePurge: body.force_purge ?? false,
    newRoomUserId: body.new_room_user_id ?? null,
    newRoomName: body.room_name ?? null,
    message: body.message ?? null,
  };
}

/** Synapse's names for what becomes of a task. */
const statuses = {
  waiting: "scheduled",
  running: "active",
  done: "complete",
  failed: "failed",
  cancelled: "cancelled",
} as const satisfies Record<Job["state"], string>;

/** What is known of those who left, even before the end. */
function deletionJson({ jobId, subject, state, result, error, doneCount, totalCount }: Job): object {
  return {
    delete_id: jobId,
    room_id: subject,
    status: statuses[state],
    ...(error !== null && { error }),
    shutdown_room: result === null ? null : (JSON.parse(result) as object),
    events_deleted: doneCount,
    events_in_all: totalCount,
  };
}
