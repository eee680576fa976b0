import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";
import { directoryFilter, directoryPage } from "../room-directory.ts";

const versions = ["v3", "r0"] as const;
const server = { server: Type.Optional(Type.String()) };
/** Servers to ask about a room in which nobody of this server is. */
const via = Type.Optional(Type.Array(Type.String(), { maxItems: 50 }));
const limit = Type.Optional(Type.Integer());

export const getPublicRooms = endpoint({
  operationId: "getPublicRooms",
  method: "GET",
  path: "/publicRooms",
  versions,
  // Who asks for another server's directory has to say who they are.
  access: "optional-user",
  guests: true,
  rateLimit: "default",
  query: Type.Object({ ...server, limit, since: directoryPage.since }),
});

export const queryPublicRooms = endpoint({
  operationId: "queryPublicRooms",
  method: "POST",
  path: "/publicRooms",
  versions,
  access: "user",
  rateLimit: "default",
  query: Type.Object(server),
  body: Type.Object({ limit, ...directoryPage, filter: directoryFilter }),
});

export const getRoomSummary = endpoint({
  operationId: "getRoomSummary",
  method: "GET",
  path: "/room_summary/{roomIdOrAlias}",
  versions: ["v1"],
  aliases: [
    "/_matrix/client/unstable/im.nheko.summary/summary/{roomIdOrAlias}",
    "/_matrix/client/unstable/im.nheko.summary/rooms/{roomIdOrAlias}/summary",
  ],
  access: "optional-user",
  guests: true,
  rateLimit: "default",
  query: Type.Object({ via }),
});

export const getSpaceHierarchy = endpoint({
  operationId: "getSpaceHierarchy",
  method: "GET",
  path: "/rooms/{roomId}/hierarchy",
  versions: ["v1"],
  aliases: ["/_matrix/client/unstable/org.matrix.msc2946/rooms/{roomId}/hierarchy"],
  access: "user",
  rateLimit: "default",
  query: Type.Object({
    suggested_only: Type.Optional(Type.Boolean()),
    limit: Type.Optional(Type.Integer()),
    max_depth: Type.Optional(Type.Integer()),
    from: Type.Optional(Type.String()),
    via,
  }),
});
