import type { Typing } from "../../services/typing.ts";
import type { EduReceiver } from "../inbound/edu-receivers.ts";
import type { EduRooms } from "./edu-rooms.ts";

/** Takes `m.typing` (server-server API, "Typing Notifications"). */
export function typingReceiver(rooms: EduRooms, typing: Pick<Typing, "heard">): EduReceiver {
  return async (origin, { room_id: roomId, user_id: userId, typing: isTyping }) => {
    if (typeof roomId !== "string" || typeof userId !== "string" || typeof isTyping !== "boolean") return;
    const room = await rooms.open(roomId, origin);
    const userNid = room && (await rooms.member(room, origin, userId));
    if (room && userNid !== undefined) typing.heard(room.roomNid, userNid, isTyping);
  };
}
