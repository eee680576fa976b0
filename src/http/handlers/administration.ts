import {
  getAdminLockUser,
  getAdminSuspendUser,
  getWhoIs,
  setAdminLockUser,
  setAdminSuspendUser,
} from "../../api/client/administration.ts";
import type { AccountModeration } from "../../services/accounts/moderation.ts";
import type { Device } from "../../storage/devices.ts";
import { userIdFrom } from "./path-parameters.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";

/** Client-server API, "Server Administration". */
export function administrationHandlers(moderation: AccountModeration): BoundEndpoint[] {
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
    handler(setAdminSuspendUser, async ({ requester, params, body: { suspended } }) => {
      await moderation.change(requester, userIdFrom(params.userId), { isSuspended: suspended });
      return { suspended };
    }),
    handler(getAdminLockUser, async ({ requester, params }) => {
      const account = await moderation.moderated(requester, userIdFrom(params.userId));
      return { locked: account.isLocked };
    }),
    handler(setAdminLockUser, async ({ requester, params, body: { locked } }) => {
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
