import {
  changePassword,
  deactivateAccount,
  getCapabilities,
  getTokenOwner,
} from "../../api/client/account.ts";
import type { InteractiveAuth } from "../../auth/interactive.ts";
import type { Config } from "../../config/schema.ts";
import { supportedRoomVersions } from "../../protocol/room-versions.ts";
import { checkNewPassword } from "../../services/accounts/new-password.ts";
import type { OwnAccount } from "../../services/accounts/own-account.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";

/** Client-server API, "Current account information", "Account management" and "Capabilities negotiation". */
export function accountHandlers(
  account: OwnAccount,
  interactive: InteractiveAuth,
  config: Pick<Config, "default_room_version" | "delayed_events">,
): BoundEndpoint[] {
  const delayedEvents = {
    max_delay_ms: config.delayed_events.max_delay_ms,
    max_scheduled: config.delayed_events.max_per_user,
  };
  const roomVersions = {
    default: config.default_room_version,
    available: Object.fromEntries(supportedRoomVersions.map((version) => [version, "stable"])),
  };
  return [
    handler(getTokenOwner, async ({ requester }) => ({
      user_id: requester.userId,
      device_id: requester.deviceId,
      is_guest: requester.isGuest,
    })),
    handler(changePassword, async (request) => {
      const { new_password: password, logout_devices: logOutDevices = true } = request.body;
      checkNewPassword(password);
      await interactive.confirmIdentity(request);
      await account.changePassword(request.requester, password, logOutDevices);
      return {};
    }),
    handler(deactivateAccount, async (request) => {
      await interactive.confirmIdentity(request);
      await account.deactivate(request.requester, request.body.erase ?? false);
      // No identifiers are bound, so none is left bound.
      return { id_server_unbind_result: "success" };
    }),
    handler(getCapabilities, async ({ requester }) => ({
      capabilities: {
        "m.change_password": { enabled: await account.hasPassword(requester) },
        "m.room_versions": roomVersions,
        "m.get_login_token": { enabled: true },
        "m.3pid_changes": { enabled: false },
        "m.profile_fields": { enabled: true },
        // MSC4140, under its final name and the one of its drafts.
        "m.delayed_events": delayedEvents,
        "org.matrix.msc4140.delayed_events": delayedEvents,
        ...(requester.isAdmin && { "m.account_moderation": { suspend: true, lock: true } }),
      },
    })),
  ];
}
