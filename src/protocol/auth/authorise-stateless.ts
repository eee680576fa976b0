import type { RoomEvent } from "../pdu.ts";
import type { RoomVersion } from "../room-versions.ts";
import { type AuthRejection, reject } from "./rejection.ts";
import { authoriseAuthEvents, type ReferencedEvent } from "./rules/auth-events.ts";
import { authoriseAuthoriserSignature } from "./rules/authoriser-signature.ts";
import { authoriseCreate } from "./rules/create.ts";

export type { ReferencedEvent };

/**
 * Judges an event by the authorisation rules that do not look at the room state, so that once per event is enough:
 * the form of a create event, the room ID, the choice of auth events, and the signature that a restricted join needs.
 *
 * @param authEvents every event of the event's `auth_events`
 * @param create the create event that the room ID names; only asked where a room ID is its create event's hash
 * @returns the first rule that refuses, or `undefined` when none does; then {@link authorise} is to follow
 */
export function authoriseStateless(
  version: RoomVersion,
  event: RoomEvent,
  authEvents: readonly ReferencedEvent[],
  create: ReferencedEvent | undefined,
): AuthRejection | undefined {
  if (event.type === "m.room.create") return authoriseCreate(version, event);
  return (
    authoriseRoomId(version, event, create) ??
    authoriseAuthEvents(version, event, authEvents) ??
    authoriseAuthoriserSignature(version, event)
  );
}

function authoriseRoomId(
  version: RoomVersion,
  event: RoomEvent,
  create: ReferencedEvent | undefined,
): AuthRejection | undefined {
  if (!version.roomIdIsCreateHash) return undefined;
  // 2. If the event's room_id is not an event ID for an accepted (not rejected) m.room.create event, with the sigil !
  // instead of $, reject.
  if (
    create !== undefined &&
    !create.rejected &&
    create.event.type === "m.room.create" &&
    event.roomId === `!${create.event.eventId.slice(1)}`
  ) {
    return undefined;
  }
  return reject(version, "room_id", `${event.roomId} is not the ID of an accepted m.room.create event.`);
}
