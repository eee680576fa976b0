import type { RoomFilters } from "./sliding-request.ts";
import type { RoomLabels, UserRoom } from "./user-rooms.ts";

/**
 * Whether a room passes a list's filters (MSC4186, `RoomFilter`).
 * @param spaceChildren IDs of the rooms in the spaces that the filters name
 */
export function passesFilters(
  room: UserRoom,
  filters: RoomFilters,
  { direct, tags }: RoomLabels,
  spaceChildren: ReadonlySet<string>,
): boolean {
  const { roomId, membership, facts } = room;
  const ownTags = tags.get(roomId);
  const hasTag = (tag: string) => ownTags?.has(tag) ?? false;
  if (isUnlike(filters.is_dm, direct.has(roomId))) return false;
  if (isUnlike(filters.is_invite, membership === "invite")) return false;
  if (isUnlike(filters.is_encrypted, facts.isEncrypted)) return false;
  if (filters.spaces && !spaceChildren.has(roomId)) return false;
  if (filters.room_types && !filters.room_types.includes(facts.roomType)) return false;
  // "If a type is in both room_types and not_room_types, then not_room_types wins."
  if (filters.not_room_types?.includes(facts.roomType)) return false;
  if (filters.tags && !filters.tags.some(hasTag)) return false;
  // "not_tags takes priority over tags."
  if (filters.not_tags?.some(hasTag)) return false;
  return filters.room_name_like === undefined || isLike(facts.name, filters.room_name_like);
}

/** Whether a filter is set and wants the other. */
function isUnlike(wanted: boolean | undefined, value: boolean): boolean {
  return wanted !== undefined && wanted !== value;
}

function isLike(name: string | null, part: string): boolean {
  return (name ?? "").toLowerCase().includes(part.toLowerCase());
}
