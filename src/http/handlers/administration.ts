import {
  getAdminLockUser,
  getAdminSuspendUser,
  getWhoIs,
  setAdminLockUser,
  setAdminSuspendUser,
} from "../../api/client/administration.ts";
import type { AccountModeration } from "../../services/accounts/moderation.ts";
import type { AuditLog } from "../../admin/audit-log.ts";
import type { Device } from "../../storage/devices.ts";
import { userIdFrom } from "./path-parameters.ts";
import { audited } from "./admin/audited.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import type { Request } from "../request.ts";

/** Client-server API, "Server Administration". */
export function administrationHandlers(moderation: AccountModeration, auditLog: AuditLog): BoundEndpoint[] {
  type Moderating = Request<typeof setAdminLockUser | typeof setAdminSuspendUser>;
  const told = {
    target: ({ params }: Moderating) => params.userId,
    look: async ({ requester, params }: Moderating) => {
      const account = await moderation.moderated(requester, userIdFrom(params.userId));
      return { suspended: account.isSuspended, locked: account.isLocked };
    },
  };
  return [
    handler(getWhoIs, async ({ requester, params }) => {
      const userId = userIdFrom(params.userId);
      const devices = await moderation.devicesOf(requester, userId);
      return { user_id: userId, devices: Object.fromEntries(devices.map(deviceEntry)) };
    }),
    handler(getAdminSuspendUser, async ({ requester, params }) => {
      const account = await moderation.moderated(requester, userIdFrom(params.userId));
      return { suspended: account.isSuspended };
    }),
    audited(auditLog, setAdminSuspendUser, told, async ({ requester, params, body: { suspended } }) => {
      await moderation.change(requester, userIdFrom(params.userId), { isSuspended: suspended });
      return { suspended };
    }),
    handler(getAdminLockUser, async ({ requester, params }) => {
      const account = await moderation.moderated(requester, userIdFrom(params.userId));
      return { locked: account.isLocked };
    }),
    audited(auditLog, setAdminLockUser, told, async ({ requester, params, body: { locked } }) => {
      await moderation.change(requester, userIdFrom(params.userId), { isLocked: locked });
      return { locked };
    }),
  ];
}

function deviceEntry({ deviceId, lastSeenTs, lastSeenIp, lastSeenUserAgent }: Device): [string, object] {
  if (lastSeenTs === null) return [deviceId, { sessions: [{ connections: [] }] }];
  const connection = { ip: lastSeenIp, last_seen: lastSeenTs, user_agent: lastSeenUserAgent };
  return [deviceId, { sessions: [{ connections: [connection] }] }];
}
