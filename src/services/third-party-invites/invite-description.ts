import type { UserId } from "../../protocol/identifiers.ts";
import type { JsonObject } from "../../protocol/json.ts";
import type { CurrentState } from "../../state/current-state.ts";
import type { Room } from "../../state/room-index.ts";
import type { ContactAddress } from "../../storage/contacts.ts";

/** Where what an identity server wants to know stands in a room's state. */
const described: readonly (readonly [key: string, type: string, property: string])[] = [
  ["room_alias", "m.room.canonical_alias", "alias"],
  ["room_avatar_url", "m.room.avatar", "url"],
  ["room_join_rules", "m.room.join_rules", "join_rule"],
  ["room_name", "m.room.name", "name"],
  ["room_type", "m.room.create", "type"],
];
const maxNameLength = 80;

/** What an identity server is told of an invitation (identity service API, `store-invite`). */
export async function invitationToStore(
  state: CurrentState,
  room: Room,
  inviter: UserId,
  { medium, address }: ContactAddress,
): Promise<JsonObject> {
  const invitation: JsonObject = { medium, address, room_id: room.roomId, sender: inviter };
  for (const [key, type, property] of described) {
    const value = (await state.event(room, type, ""))?.content[property];
    if (typeof value === "string") invitation[key] = value;
  }
  const { displayname, avatar_url: avatarUrl } =
    (await state.event(room, "m.room.member", inviter))?.content ?? {};
  if (typeof displayname === "string") invitation["sender_display_name"] = displayname;
  if (typeof avatarUrl === "string") invitation["sender_avatar_url"] = avatarUrl;
  return invitation;
}

/** The names of room and inviter, for an e-mail to a stranger: in one line, and not long enough for a message of its own. */
export async function namesForMail(
  state: CurrentState,
  room: Room,
  inviter: UserId,
): Promise<{ readonly room: string; readonly inviter: string }> {
  const name = (await state.event(room, "m.room.name", ""))?.content["name"];
  const alias = (await state.event(room, "m.room.canonical_alias", ""))?.content["alias"];
  const displayName = (await state.event(room, "m.room.member", inviter))?.content["displayname"];
  return {
    room: tame(typeof name === "string" && name !== "" ? name : alias) ?? room.roomId,
    inviter: displayName === undefined ? inviter : `${tame(displayName) ?? ""} (${inviter})`,
  };
}

/** What others see of an address: enough for who knows it, too little for who does not. */
export function redactedAddress(address: string): string {
  const [localPart = "", domain = ""] = address.split("@");
  return `${localPart.slice(0, 1)}...@${domain.slice(0, 1)}...`;
}

/** Mail programs make links of what looks like one: what users call things must not become an advertisement. */
function tame(value: unknown): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  const line = value.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ").replaceAll(/:\/\/|www\./gi, " ");
  return line.trim().slice(0, maxNameLength);
}
