import { RoomMembers } from "../../admin/room-members.ts";
import { RoomOverviews } from "../../admin/room-overviews.ts";
import { roomAdministrationHandlers } from "../../http/handlers/admin/rooms.ts";
import type { BoundEndpoint } from "../../http/pipeline.ts";
import { SpaceChildren } from "../../services/discovery/space-children.ts";
import { SpaceHierarchy } from "../../services/discovery/space-hierarchy.ts";
import { SpaceRooms } from "../../services/discovery/space-rooms.ts";
import type { ForkMerges } from "../../services/rooms/fork-merges.ts";
import type { Foundation } from "../foundation.ts";
import type { ReadingParts } from "../reading.ts";
import type { RoomParts } from "../rooms.ts";

/** What administrators see of rooms, and who is in them. */
export function composeRoomAdministration(
  foundation: Foundation,
  { access, aliases, membership, state }: RoomParts,
  { whole, filters }: ReadingParts,
  merges: ForkMerges,
): readonly BoundEndpoint[] {
  const { config, stores, graph, auditLog, randomBytes, clock, log } = foundation;
  const { rooms, events, writer } = graph;
  const { accounts, memberships, roomSummaries, roomOverviews } = stores;
  const overviews = new RoomOverviews({
    store: roomOverviews,
    roomStore: stores.rooms,
    memberships,
    eventStore: stores.events,
    events,
    access,
    aliases,
    rooms,
    state,
    merges,
  });
  const members = new RoomMembers({
    membership,
    aliases,
    store: stores.rooms,
    rooms,
    state,
    writer,
    accounts,
    serverName: config.server_name,
  });
  const seesAll = { standing: async () => ({ membership: undefined, maySee: true }) };
  const hierarchy = new SpaceHierarchy({
    rooms: new SpaceRooms({
      store: roomSummaries,
      rooms,
      memberships,
      children: new SpaceChildren(roomSummaries, events),
      visibility: seesAll,
      remote: undefined,
    }),
    randomBytes,
    clock,
    log,
  });
  return roomAdministrationHandlers({ overviews, members, hierarchy, whole, filters, auditLog });
}
