import { parseRoomId, parseUserId, type RoomId, type UserId } from "../protocol/identifiers.ts";
import { MatrixError } from "../protocol/matrix-error.ts";

/** How much of what is no ID an answer repeats. */
const maxRepeated = 300;

/** The room that a request names. @throws MatrixError M_INVALID_PARAM for what is no room ID */
export function namedRoomId(text: string): RoomId {
  const roomId = parseRoomId(text);
  if (roomId !== undefined) return roomId;
  throw new MatrixError(
    "M_INVALID_PARAM",
    `${text.slice(0, maxRepeated)} is not a room ID: it starts with "!"`,
  );
}

/** The user whom a request names. @throws MatrixError M_INVALID_PARAM for what is no user ID */
export function namedUserId(text: string): UserId {
  const userId = parseUserId(text);
  if (userId !== undefined) return userId;
  throw new MatrixError("M_INVALID_PARAM", `${text.slice(0, maxRepeated)} is not a user ID`);
}
