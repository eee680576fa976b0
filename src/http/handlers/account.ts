import { getTokenOwner } from "../../api/client/account.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";

/** Client-server API, "Current account information" and "Account management". */
export function accountHandlers(): BoundEndpoint[] {
  return [
    handler(getTokenOwner, async ({ requester }) => ({
      user_id: requester.userId,
      device_id: requester.deviceId,
      is_guest: requester.isGuest,
    })),
  ];
}
