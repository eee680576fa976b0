import { roomUpgradeHandlers } from "../http/handlers/room-upgrades.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import type { MemberProfiles } from "../services/rooms/member-profile.ts";
import { RoomUpgrade } from "../services/rooms/room-upgrade.ts";
import type { Foundation } from "./foundation.ts";
import type { RoomParts } from "./rooms.ts";

/** Replacing rooms by rooms of another version. */
export function composeRoomUpgrades(
  { config, stores, graph, randomBytes, appservices }: Foundation,
  { access, state, succession }: RoomParts,
  profiles: MemberProfiles,
): readonly BoundEndpoint[] {
  return roomUpgradeHandlers(
    new RoomUpgrade({
      serverName: config.server_name,
      writer: graph.writer,
      access,
      state,
      events: graph.events,
      rooms: stores.rooms,
      summaries: stores.roomSummaries,
      memberships: stores.memberships,
      profiles,
      succession,
      randomBytes,
      aliasChanges: appservices.aliasChanges,
    }),
  );
}
