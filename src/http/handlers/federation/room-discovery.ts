import * as api from "../../../api/federation/room-discovery.ts";
import type { ServedDiscovery } from "../../../federation/serving/served-discovery.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";
import { directoryRequest, publicRoomsBody, roomSummaryBody, spaceRoomBody } from "../described-rooms.ts";

/** Server-server API, "Published Room Directory" and "Spaces". */
export function federationDiscoveryHandlers(discovery: ServedDiscovery): BoundEndpoint[] {
  return [
    handler(api.getPublicRooms, async ({ requester, query }) =>
      publicRoomsBody(await discovery.list(requester.serverName, directoryRequest(query))),
    ),
    handler(api.queryPublicRooms, async ({ requester, body }) =>
      publicRoomsBody(await discovery.list(requester.serverName, directoryRequest(body))),
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
