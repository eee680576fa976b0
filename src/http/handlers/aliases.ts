import * as api from "../../api/client/aliases.ts";
import type { RoomAliases } from "../../services/rooms/room-aliases.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";

/** Client-server API, "Room aliases", and a room's place in the directory. */
export function aliasHandlers(aliases: RoomAliases): BoundEndpoint[] {
  return [
    handler(api.getRoomIdByAlias, async ({ params }) => {
      const { roomId, servers } = await aliases.find(params.roomAlias);
      return { room_id: roomId, servers: [...servers] };
    }),
    handler(api.setRoomAlias, async ({ requester, params, body }) => {
      await aliases.add(requester, params.roomAlias, body.room_id);
      return {};
    }),
    handler(api.deleteRoomAlias, async ({ requester, params }) => {
      await aliases.remove(requester, params.roomAlias);
      return {};
    }),
    handler(api.getLocalAliases, async ({ requester, params }) => ({
      aliases: await aliases.list(requester, params.roomId),
    })),
    handler(api.getRoomVisibilityOnDirectory, async ({ params }) => ({
      visibility: (await aliases.isPublic(params.roomId)) ? "public" : "private",
    })),
    handler(api.setRoomVisibilityOnDirectory, async ({ requester, params, body }) => {
      await aliases.setPublic(requester, params.roomId, body.visibility !== "private");
      return {};
    }),
  ];
}
