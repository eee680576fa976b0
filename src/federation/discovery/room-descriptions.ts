import { isRoomAlias, isRoomId, isUserId } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json.ts";
import { parseMxcUri } from "../../protocol/mxc-uri.ts";
import { isSpaceChild } from "../../protocol/room-summary.ts";
import type { DescribedRoom } from "../../services/discovery/described-room.ts";
import type { SpaceChild } from "../../services/discovery/space-children.ts";

const maxAllowedRooms = 100;
const maxShortText = 255;

/**
 * What another server says of a room, which may be anything: what is malformed counts as not said. `undefined` when it does
 * not even say which room it means.
 */
export function describedRoomOf(value: JsonValue | undefined): DescribedRoom | undefined {
  if (!isJsonObject(value)) return undefined;
  const { room_id: roomId, avatar_url: avatar, canonical_alias: alias, num_joined_members: members } = value;
  if (typeof roomId !== "string" || !isRoomId(roomId)) return undefined;
  return {
    roomId,
    name: textOf(value["name"]),
    topic: textOf(value["topic"]),
    avatarUrl: typeof avatar === "string" && parseMxcUri(avatar) ? avatar : null,
    canonicalAlias: typeof alias === "string" && isRoomAlias(alias) ? alias : null,
    roomType: shortTextOf(value["room_type"]),
    encryption: shortTextOf(value["encryption"]),
    // "When not present, the room is assumed to be `public`."
    joinRule: shortTextOf(value["join_rule"]) ?? "public",
    allowedRoomIds: roomIdsOf(value["allowed_room_ids"]).slice(0, maxAllowedRooms),
    isWorldReadable: value["world_readable"] === true,
    guestCanJoin: value["guest_can_join"] === true,
    version: shortTextOf(value["room_version"]) ?? undefined,
    joinedMembers: typeof members === "number" && Number.isSafeInteger(members) ? Math.max(0, members) : 0,
  };
}

/** A child of a space; `undefined` for what is none. */
export function spaceChildOf(value: JsonValue): SpaceChild | undefined {
  if (!isJsonObject(value)) return undefined;
  const { type, state_key: roomId, sender, content, origin_server_ts: originServerTs } = value;
  if (type !== "m.space.child" || typeof roomId !== "string" || !isRoomId(roomId)) return undefined;
  if (typeof sender !== "string" || !isUserId(sender) || !isChildContent(content)) return undefined;
  if (typeof originServerTs !== "number" || !Number.isSafeInteger(originServerTs)) return undefined;
  return { roomId, sender, content, originServerTs };
}

/** The room IDs in a list; none for what is no list. */
export function roomIdsOf(value: JsonValue | undefined): string[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item) => typeof item === "string" && isRoomId(item));
}

function isChildContent(content: JsonValue | undefined): content is JsonObject {
  return isJsonObject(content) && isSpaceChild(content);
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function shortTextOf(value: JsonValue | undefined): string | null {
  const text = textOf(value);
  return text !== null && text.length <= maxShortText ? text : null;
}
