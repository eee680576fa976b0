import { checkAuditLog, listAuditLog } from "../../../api/admin/audit-log.ts";
import type { JsonValue } from "../../../protocol/json.ts";
import type { AuditCheck } from "../../../admin/audit-check.ts";
import type { AuditLog } from "../../../admin/audit-log.ts";
import type { AuditedAct } from "../../../storage/audit-log.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";
import { offsetFrom, pageSize } from "./paging.ts";

/** What administrators did. @param check reads the whole log */
export function auditLogHandlers(auditLog: AuditLog, check: () => Promise<AuditCheck>): BoundEndpoint[] {
  return [
    handler(listAuditLog, async ({ query }) => {
      const { actor, action, target, from_ts: fromTs = 0, to_ts: toTs = Number.MAX_SAFE_INTEGER } = query;
      const limit = pageSize(query.limit);
      const before = offsetFrom(query.from, Number.MAX_SAFE_INTEGER);
      const acts = await auditLog.list({ before, limit, actor, action, target, fromTs, toTs });
      const last = acts.at(-1);
      const isMore = last !== undefined && acts.length === limit;
      return { acts: acts.map(actJson), ...(isMore && { next_token: String(last.begun.auditId) }) };
    }),
    handler(checkAuditLog, async () => {
      const { checked, firstWrong } = await check();
      return { entries: checked, is_whole: firstWrong === undefined, first_wrong: firstWrong ?? null };
    }),
  ];
}

function actJson({ begun, ended }: AuditedAct): object {
  return {
    id: begun.auditId,
    ts: begun.ts,
    actor: begun.actor,
    address: begun.address,
    action: begun.action,
    target: begun.target,
    request: JSON.parse(begun.details) as JsonValue,
    // Neither done nor refused: the server stopped in the middle of it, or it is under way.
    outcome: ended?.outcome ?? "begun",
    ...(ended && { ended_ts: ended.ts, ...(JSON.parse(ended.details) as object) }),
  };
}
