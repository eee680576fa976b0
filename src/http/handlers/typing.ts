import { setTyping } from "../../api/client/typing.ts";
import { refuseSuspended } from "../../auth/suspension.ts";
import type { RoomAccess } from "../../services/rooms/room-access.ts";
import type { Presence } from "../../services/presence/presence.ts";
import type { Typing } from "../../services/typing.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { ownUser } from "./path-parameters.ts";

/**
 * Client-server API, "Typing Notifications".
 * @param presence absent where it is switched off
 */
export function typingHandlers(
  typing: Typing,
  access: RoomAccess,
  presence: Presence | undefined,
): BoundEndpoint[] {
  return [
    handler(setTyping, async ({ requester, params, body }) => {
      const { userNid } = ownUser(requester, params.userId);
      const { roomNid } = await access.joinedRoom(params.roomId, requester);
      if (!body.typing) {
        await typing.stop(roomNid, userNid);
        return {};
      }
      refuseSuspended(requester);
      presence?.active(userNid);
      await typing.start(roomNid, userNid, body.timeout);
      return {};
    }),
  ];
}
