import * as api from "../../api/client/room-discovery.ts";
import type { RoomDirectory } from "../../services/discovery/room-directory.ts";
import type { RoomSummaries } from "../../services/discovery/room-summaries.ts";
import type { HierarchyRoom, SpaceHierarchy } from "../../services/discovery/space-hierarchy.ts";
import type { RoomSummary } from "../../storage/room-summaries.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";

export interface DiscoveryServices {
  readonly directory: RoomDirectory;
  readonly summaries: RoomSummaries;
  readonly hierarchy: SpaceHierarchy;
}

/** Client-server API, "Published room directory", "Room previews" and "Spaces". */
export function roomDiscoveryHandlers({
  directory,
  summaries,
  hierarchy,
}: DiscoveryServices): BoundEndpoint[] {
  const listed = async (request: Parameters<RoomDirectory["list"]>[0]) => {
    const { rooms, next, previous, total } = await directory.list(request);
    return {
      chunk: rooms.map(publishedRoom),
      next_batch: next,
      prev_batch: previous,
      total_room_count_estimate: total,
    };
  };
  return [
    handler(api.getPublicRooms, ({ query }) => listed(query)),
    handler(api.queryPublicRooms, ({ query, body }) =>
      listed({
        server: query.server,
        limit: body.limit,
        since: body.since,
        searchTerm: body.filter?.generic_search_term,
        roomTypes: body.filter?.room_types,
        instanceId: body.third_party_instance_id,
        includeAllNetworks: body.include_all_networks,
      }),
    ),
    handler(api.getRoomSummary, async ({ requester, params }) => {
      const { summary, membership } = await summaries.find(params.roomIdOrAlias, requester?.userNid);
      return { ...roomSummary(summary), membership: requester && (membership ?? "leave") };
    }),
    handler(api.getSpaceHierarchy, async ({ requester, params, query }) => {
      const { rooms, next } = await hierarchy.page({
        roomId: params.roomId,
        userNid: requester.userNid,
        suggestedOnly: query.suggested_only ?? false,
        maxDepth: query.max_depth,
        limit: query.limit,
        from: query.from,
      });
      return { rooms: rooms.map(hierarchyRoom), next_batch: next };
    }),
  ];
}

/** `PublishedRoomsChunk`; what a room does not have is left away. */
function publishedRoom(room: RoomSummary) {
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

function roomSummary(room: RoomSummary) {
  const { version, encryption, allowedRoomIds } = room;
  return {
    ...publishedRoom(room),
    room_version: version,
    // The name that it had before it was specified.
    "im.nheko.summary.version": version,
    encryption: encryption ?? undefined,
    "im.nheko.summary.encryption": encryption ?? undefined,
    allowed_room_ids: allowedRoomIds.length === 0 ? undefined : allowedRoomIds,
  };
}

function hierarchyRoom({ summary, children }: HierarchyRoom) {
  const { room_version, encryption, allowed_room_ids } = roomSummary(summary);
  return {
    ...publishedRoom(summary),
    room_version,
    encryption,
    allowed_room_ids,
    children_state: children.map(({ roomId, sender, content, originServerTs }) => ({
      type: "m.space.child",
      state_key: roomId,
      sender,
      content,
      origin_server_ts: originServerTs,
    })),
  };
}
