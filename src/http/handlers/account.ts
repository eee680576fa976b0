import {
  changePassword,
  deactivateAccount,
  getCapabilities,
  getTokenOwner,
} from "../../api/client/account.ts";
import type { InteractiveAuth } from "../../auth/interactive.ts";
import type { Requester } from "../../auth/requester.ts";
import type { Config } from "../../config/schema.ts";
import { supportedRoomVersions, unstableRoomVersions } from "../../protocol/room-versions.ts";
import type { OwnAccount } from "../../services/accounts/own-account.ts";
import type { PasswordReset } from "../../services/accounts/password-reset.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";

/** What an account's addresses are good for. */
export interface AccountContacts {
  readonly reset: PasswordReset;
  /** Whether users may add and remove addresses. */
  readonly areChangeable: boolean;
  /** The language of messages to somebody, by their `Accept-Language`. */
  readonly languageFor: (acceptLanguage: string | undefined) => string;
}

/** Client-server API, "Current account information", "Account management" and "Capabilities negotiation". */
export function accountHandlers(
  account: OwnAccount,
  interactive: InteractiveAuth,
  contacts: AccountContacts,
  config: Pick<Config, "default_room_version" | "delayed_events" | "url_previews">,
  isOAuth: (requester: Requester) => Promise<boolean>,
): BoundEndpoint[] {
  const delayedEvents = {
    max_delay_ms: config.delayed_events.max_delay_ms,
    max_scheduled: config.delayed_events.max_per_user,
  };
  const roomVersions = {
    default: config.default_room_version,
    available: Object.fromEntries([
      ...supportedRoomVersions.map((version) => [version, "stable"]),
      ...unstableRoomVersions.map((version) => [version, "unstable"]),
    ]),
  };
  return [
    handler(getTokenOwner, async ({ requester }) => ({
      user_id: requester.userId,
      // Application services need not name a device.
      ...(requester.deviceId !== "" && { device_id: requester.deviceId }),
      is_guest: requester.isGuest,
    })),
    handler(changePassword, async (request) => {
      const { new_password: password, logout_devices: logOutDevices = true } = request.body;
      account.checkNewPassword(password);
      const { requester } = request;
      if (requester === undefined) {
        const proof = await interactive.require(request, contacts.reset.flows());
        const language = contacts.languageFor(request.context.incoming.headers["accept-language"]);
        await contacts.reset.reset(proof, password, logOutDevices, language);
        return {};
      }
      await interactive.confirmIdentity({ ...request, requester });
      await account.changePassword(requester.userNid, password, logOutDevices, requester.deviceId);
      return {};
    }),
    handler(deactivateAccount, async (request) => {
      await interactive.confirmIdentity(request);
      const { erase = false, id_server: identityServer } = request.body;
      return { id_server_unbind_result: await account.deactivate(request.requester, erase, identityServer) };
    }),
    handler(getCapabilities, async ({ requester }) => ({
      capabilities: {
        ...(await ownAccountCapabilities(requester, account, contacts, await isOAuth(requester))),
        "m.room_versions": roomVersions,
        "m.profile_fields": { enabled: true },
        // Their predecessors, for clients that do not know them.
        "m.set_displayname": { enabled: true },
        "m.set_avatar_url": { enabled: true },
        "m.forget_forced_upon_leave": { enabled: false },
        // MSC4140, under its final name and the one of its drafts.
        "m.delayed_events": delayedEvents,
        "org.matrix.msc4140.delayed_events": delayedEvents,
        // MSC4452.
        "io.element.msc4452.preview_url": { enabled: config.url_previews.enabled && !requester.isGuest },
        ...(requester.isAdmin && { "m.account_moderation": { suspend: true, lock: true } }),
      },
    })),
  ];
}

/** Sessions of the OAuth 2.0 API cannot do this, since they confirm nothing by passwords ("OAuth 2.0 aware clients"). */
async function ownAccountCapabilities(
  requester: Requester,
  account: OwnAccount,
  { areChangeable }: AccountContacts,
  isOAuth: boolean,
): Promise<object> {
  return {
    "m.change_password": { enabled: !isOAuth && (await account.hasPassword(requester)) },
    "m.get_login_token": { enabled: !isOAuth },
    "m.3pid_changes": { enabled: !isOAuth && areChangeable },
  };
}
