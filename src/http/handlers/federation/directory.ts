import { queryRoomDirectory } from "../../../api/federation/directory.ts";
import type { RoomParticipation } from "../../../federation/room-participation.ts";
import { parseRoomAlias, type ServerName, serverNameOf } from "../../../protocol/identifiers.ts";
import { MatrixError } from "../../../protocol/matrix-error.ts";
import type { RoomAliases } from "../../../services/rooms/room-aliases.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";

/** A server that wants to join needs a few to choose from. */
const maxServers = 50;

/** What other servers ask about names on this one (server-server API, "Querying for information"). */
export function directoryQueryHandlers(parts: {
  readonly serverName: ServerName;
  readonly aliases: RoomAliases;
  readonly participation: RoomParticipation;
}): BoundEndpoint[] {
  const { serverName, aliases, participation } = parts;
  return [
    handler(queryRoomDirectory, async ({ query }) => {
      const alias = parseRoomAlias(query.room_alias);
      if (alias === undefined || serverNameOf(alias) !== serverName) {
        throw new MatrixError("M_NOT_FOUND", "This is no alias of this server");
      }
      const room = await aliases.resolve(alias);
      const servers = [serverName, ...(await participation.serversOf(room))];
      return { room_id: room.roomId, servers: servers.slice(0, maxServers) };
    }),
  ];
}
