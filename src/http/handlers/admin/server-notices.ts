import { sendServerNotice, sendServerNoticeOnce } from "../../../api/admin/server-notices.ts";
import type { BodyOf } from "../../../api/endpoint.ts";
import type { Requester } from "../../../auth/requester.ts";
import { MatrixError } from "../../../protocol/matrix-error.ts";
import { namedUserId } from "../../../services/named-ids.ts";
import type { AuditLog } from "../../../admin/audit-log.ts";
import type { ServerNotices } from "../../../services/server-notices/server-notices.ts";
import type { BoundEndpoint } from "../../pipeline.ts";
import type { Request } from "../../request.ts";
import { audited } from "./audited.ts";
import { transactionIdFrom } from "../path-parameters.ts";

/** Synapse's admin API, "Server notices". @param notices `undefined` where the configuration has none */
export function serverNoticeHandlers(
  notices: ServerNotices | undefined,
  auditLog: AuditLog,
): BoundEndpoint[] {
  const told = {
    target: ({ body }: Request<typeof sendServerNotice | typeof sendServerNoticeOnce>) => body.user_id,
  };
  const send = async (
    { userId: author, deviceId }: Requester,
    {
      user_id: userId,
      type = "m.room.message",
      state_key: stateKey,
      content,
    }: BodyOf<typeof sendServerNotice>,
    transactionId?: string,
  ) => {
    if (!notices) {
      throw new MatrixError("M_UNKNOWN", "Server notices are not enabled: set server_notices.localpart");
    }
    const notice = { type, stateKey, content, transactionId };
    return { event_id: await notices.send(namedUserId(userId), notice, `${author} ${deviceId}`) };
  };
  return [
    audited(auditLog, sendServerNotice, told, ({ requester, body }) => send(requester, body)),
    audited(auditLog, sendServerNoticeOnce, told, ({ requester, body, params }) =>
      send(requester, body, transactionIdFrom(params.txnId)),
    ),
  ];
}
