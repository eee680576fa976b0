import * as api from "../../api/client/room-upgrades.ts";
import type { RoomUpgrade } from "../../services/rooms/room-upgrade.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";

/** Client-server API, "Room upgrades". */
export function roomUpgradeHandlers(upgrades: RoomUpgrade): BoundEndpoint[] {
  return [
    handler(api.upgradeRoom, async ({ requester, params, body }) => {
      const room = await upgrades.upgrade(requester, {
        roomId: params.roomId,
        version: body.new_version,
        additionalCreators: body.additional_creators ?? [],
      });
      return { replacement_room: room.roomId };
    }),
  ];
}
