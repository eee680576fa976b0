import { getPresence, setPresence } from "../../api/client/presence.ts";
import { refuseSuspended } from "../../auth/suspension.ts";
import type { PresenceService } from "../../services/presence/presence-service.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { ownUser, userIdFrom } from "./path-parameters.ts";

/**
 * Client-server API, "Presence".
 * @param presence absent where it is switched off: everybody is offline then, and what clients set is let go
 */
export function presenceHandlers(presence: PresenceService | undefined): BoundEndpoint[] {
  return [
    handler(setPresence, async ({ requester, params, body }) => {
      ownUser(requester, params.userId);
      refuseSuspended(requester);
      await presence?.set(requester, body.presence, body.status_msg ?? null);
      return {};
    }),
    handler(getPresence, async ({ requester, params }) => {
      const userId = userIdFrom(params.userId);
      return presence ? presence.look(requester, userId) : { presence: "offline" };
    }),
  ];
}
