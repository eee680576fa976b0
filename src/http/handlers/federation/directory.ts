import { queryRoomDirectory } from "../../../api/federation/directory.ts";
import { parseRoomAlias, type ServerName, serverNameOf } from "../../../protocol/identifiers.ts";
import { MatrixError } from "../../../protocol/matrix-error.ts";
import type { RoomAliases } from "../../../services/rooms/room-aliases.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";

/** What other servers ask about names on this one (server-server API, "Querying for information"). */
export function directoryQueryHandlers(parts: {
  readonly serverName: ServerName;
  readonly aliases: RoomAliases;
}): BoundEndpoint[] {
  const { serverName, aliases } = parts;
  return [
    handler(queryRoomDirectory, async ({ query }) => {
      const alias = parseRoomAlias(query.room_alias);
      if (alias === undefined || serverNameOf(alias) !== serverName) {
        throw new MatrixError("M_NOT_FOUND", "This is no alias of this server");
      }
      const { roomId, servers } = await aliases.find(alias);
      return { room_id: roomId, servers: [...servers] };
    }),
  ];
}
