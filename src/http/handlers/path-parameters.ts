import type { Requester } from "../../auth/requester.ts";
import { parseRoomId, parseUserId, type RoomId, type UserId } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";

/** @throws MatrixError M_INVALID_PARAM. */
export function userIdFrom(text: string): UserId {
  const userId = parseUserId(text);
  if (userId) return userId;
  throw new MatrixError("M_INVALID_PARAM", "The user ID in the path is not like @name:server");
}

/** @throws MatrixError M_INVALID_PARAM. */
export function roomIdFrom(text: string): RoomId {
  const roomId = parseRoomId(text);
  if (roomId) return roomId;
  throw new MatrixError("M_INVALID_PARAM", "The room ID in the path is not like !room:server");
}

/** They are kept for as long as the events that they made. */
const maxTransactionIdBytes = 255;

/** @throws MatrixError M_INVALID_PARAM. */
export function transactionIdFrom(text: string): string {
  if (Buffer.byteLength(text) <= maxTransactionIdBytes) return text;
  throw new MatrixError(
    "M_INVALID_PARAM",
    `The transaction ID in the path is longer than ${maxTransactionIdBytes} bytes`,
  );
}

/**
 * Checks that a path names the user who calls.
 * @throws MatrixError M_FORBIDDEN, M_INVALID_PARAM.
 */
export function ownUser(requester: Requester, userId: string): Requester {
  if (userIdFrom(userId) === requester.userId) return requester;
  throw new MatrixError("M_FORBIDDEN", `You are ${requester.userId}, and this belongs to somebody else`);
}
