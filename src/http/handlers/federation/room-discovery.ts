import * as api from "../../../api/federation/room-discovery.ts";
import type { ServedDiscovery } from "../../../federation/serving/served-discovery.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";
import { publicRoomsBody, roomSummaryBody, spaceRoomBody } from "../described-rooms.ts";

/** Server-server API, "Published Room Directory" and "Spaces". */
export function federationDiscoveryHandlers(discovery: ServedDiscovery): BoundEndpoint[] {
  return [
    handler(api.getPublicRooms, async ({ requester, query }) =>
      publicRoomsBody(
        await discovery.list(requester.serverName, {
          limit: query.limit,
          since: query.since,
          instanceId: query.third_party_instance_id,
          includeAllNetworks: query.include_all_networks,
        }),
      ),
    ),
    handler(api.queryPublicRooms, async ({ requester, body }) =>
      publicRoomsBody(
        await discovery.list(requester.serverName, {
          limit: body.limit,
          since: body.since,
          searchTerm: body.filter?.generic_search_term,
          roomTypes: body.filter?.room_types,
          instanceId: body.third_party_instance_id,
          includeAllNetworks: body.include_all_networks,
        }),
      ),
    ),
    handler(api.getSpaceHierarchy, async ({ requester, params, query }) => {
      const { room, childState, children, inaccessible } = await discovery.hierarchy(
        requester.serverName,
        params.roomId,
        query.suggested_only ?? false,
      );
      return {
        room: spaceRoomBody(room, childState),
        children: children.map(roomSummaryBody),
        inaccessible_children: inaccessible,
      };
    }),
  ];
}
