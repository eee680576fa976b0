import type { BodyOf } from "../../api/endpoint.ts";
import type { queryPublicRooms } from "../../api/federation/room-discovery.ts";
import type { DescribedRoom } from "../../services/discovery/described-room.ts";
import type { DirectoryPage, DirectoryRequest } from "../../services/discovery/directory-request.ts";
import type { SpaceChild } from "../../services/discovery/space-children.ts";

/** A page of the directory as clients and servers ask for it, in a body or a query. */
export function directoryRequest(search: BodyOf<typeof queryPublicRooms>): Omit<DirectoryRequest, "server"> {
  return {
    limit: search.limit,
    since: search.since,
    searchTerm: search.filter?.generic_search_term,
    roomTypes: search.filter?.room_types,
    instanceId: search.third_party_instance_id,
    includeAllNetworks: search.include_all_networks,
  };
}

/** `PublicRoomsResponse`, which clients and servers get in the same form. */
export function publicRoomsBody({ rooms, next, previous, total }: DirectoryPage) {
  return {
    chunk: rooms.map(publishedRoom),
    next_batch: next,
    prev_batch: previous,
    total_room_count_estimate: total,
  };
}

/** `PublicRoomsChunk`; what a room does not have is left away. */
function publishedRoom(room: DescribedRoom) {
  return {
    room_id: room.roomId,
    name: room.name ?? undefined,
    topic: room.topic ?? undefined,
    canonical_alias: room.canonicalAlias ?? undefined,
    avatar_url: room.avatarUrl ?? undefined,
    num_joined_members: room.joinedMembers,
    world_readable: room.isWorldReadable,
    guest_can_join: room.guestCanJoin,
    join_rule: room.joinRule,
    room_type: room.roomType ?? undefined,
  };
}

/** `RoomSummary`. */
export function roomSummaryBody(room: DescribedRoom) {
  const { version, encryption, allowedRoomIds } = room;
  return {
    ...publishedRoom(room),
    room_version: version,
    encryption: encryption ?? undefined,
    allowed_room_ids: allowedRoomIds.length === 0 ? undefined : allowedRoomIds,
  };
}

/** A room of a space, with its children. */
export function spaceRoomBody(room: DescribedRoom, children: readonly SpaceChild[]) {
  return {
    ...roomSummaryBody(room),
    children_state: children.map(({ roomId, sender, content, originServerTs }) => ({
      type: "m.space.child",
      state_key: roomId,
      sender,
      content,
      origin_server_ts: originServerTs,
    })),
  };
}
