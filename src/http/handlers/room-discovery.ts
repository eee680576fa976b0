import * as api from "../../api/client/room-discovery.ts";
import type { RoomDirectory } from "../../services/discovery/room-directory.ts";
import type { RoomSummaries } from "../../services/discovery/room-summaries.ts";
import type { SpaceHierarchy } from "../../services/discovery/space-hierarchy.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { directoryRequest, publicRoomsBody, roomSummaryBody, spaceRoomBody } from "./described-rooms.ts";

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
  return [
    handler(api.getPublicRooms, async ({ query, requester }) =>
      publicRoomsBody(await directory.list(query, requester !== undefined)),
    ),
    handler(api.queryPublicRooms, async ({ query, body }) => {
      const request = { server: query.server, ...directoryRequest(body) };
      return publicRoomsBody(await directory.list(request, true));
    }),
    handler(api.getRoomSummary, async ({ requester, params, query }) => {
      const via = query.via ?? [];
      const { room, membership } = await summaries.find(params.roomIdOrAlias, via, requester?.userNid);
      const body = roomSummaryBody(room);
      return {
        ...body,
        // The names that they had before they were specified.
        "im.nheko.summary.version": body.room_version,
        "im.nheko.summary.encryption": body.encryption,
        membership: requester && (membership ?? "leave"),
      };
    }),
    handler(api.getSpaceHierarchy, async ({ requester, params, query }) => {
      const { rooms, next } = await hierarchy.page({
        roomId: params.roomId,
        userNid: requester.userNid,
        suggestedOnly: query.suggested_only ?? false,
        maxDepth: query.max_depth,
        limit: query.limit,
        from: query.from,
        via: query.via ?? [],
      });
      return {
        rooms: rooms.map(({ room, children }) => spaceRoomBody(room, children)),
        next_batch: next,
      };
    }),
  ];
}
