import { domainOf, isUserId, serverNameOf } from "../../identifiers.ts";
import type { RoomEvent } from "../../pdu.ts";
import { type RoomVersion, roomVersion } from "../../room-versions.ts";
import { type AuthRejection, reject } from "../rejection.ts";

/** 1. If type is m.room.create. */
export function authoriseCreate(version: RoomVersion, event: RoomEvent): AuthRejection | undefined {
  const { content } = event;

  // 1.1. If it has any prev_events, reject.
  if (event.prevEventIds.length > 0) {
    return reject(version, "create.prev_events", "A room's create event comes before all others.");
  }

  const roomIdFault = version.roomIdIsCreateHash ? roomIdGiven(event) : roomIdElsewhere(event);
  if (roomIdFault !== undefined) return reject(version, "create.room_id", roomIdFault);

  // 1.3. If content.room_version is present and is not a recognised version, reject.
  if (Object.hasOwn(content, "room_version")) {
    const id = content["room_version"];
    if (typeof id !== "string" || roomVersion(id) === undefined) {
      return reject(version, "create.room_version", "This server does not know the room's version.");
    }
  }

  // Until room version 10, 1.4: If content has no creator property, reject.
  if (!version.creatorIsSender && !Object.hasOwn(content, "creator")) {
    return reject(version, "create.creator", "The create event does not say who creates the room.");
  }

  // 1.4. If additional_creators is present in content and is not an array of strings where each string passes the same
  // user ID validation applied to sender, reject.
  if (version.privilegedCreators && Object.hasOwn(content, "additional_creators")) {
    if (!isUserIdList(content["additional_creators"])) {
      return reject(version, "create.additional_creators", "additional_creators must be a list of user IDs.");
    }
  }

  // 1.5. Otherwise, allow.
  return undefined;
}

/** 1.2. If the event has a room_id, reject. */
function roomIdGiven(event: RoomEvent): string | undefined {
  return event.pdu.room_id === undefined
    ? undefined
    : "The create event makes the room ID and cannot have one itself.";
}

/** Until room version 11, 1.2: If the domain of the room_id does not match the domain of the sender, reject. */
function roomIdElsewhere(event: RoomEvent): string | undefined {
  const server = serverNameOf(event.sender);
  return domainOf(event.roomId) === server
    ? undefined
    : `A room created by a user of ${server} needs a room ID of that server.`;
}

function isUserIdList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string" && isUserId(item));
}
