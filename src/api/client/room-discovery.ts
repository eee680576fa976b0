import { Type } from "typebox";
import { endpoint } from "../endpoint.ts";

const versions = ["v3", "r0"] as const;
const server = { server: Type.Optional(Type.String()) };
/** Servers to ask about a room in which nobody of this server is. */
const via = Type.Optional(Type.Array(Type.String(), { maxItems: 50 }));
const page = { limit: Type.Optional(Type.Integer()), since: Type.Optional(Type.String()) };

export const getPublicRooms = endpoint({
  operationId: "getPublicRooms",
  method: "GET",
  path: "/publicRooms",
  versions,
  // Who asks for another server's directory has to say who they are.
  access: "optional-user",
  guests: true,
  rateLimit: "default",
  query: Type.Object({ ...server, ...page }),
});

export const queryPublicRooms = endpoint({
  operationId: "queryPublicRooms",
  method: "POST",
  path: "/publicRooms",
  versions,
  access: "user",
  rateLimit: "default",
  query: Type.Object(server),
  body: Type.Object({
    ...page,
    filter: Type.Optional(
      Type.Object({
        generic_search_term: Type.Optional(Type.String({ maxLength: 1000 })),
        room_types: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Null()]))),
      }),
    ),
    include_all_networks: Type.Optional(Type.Boolean()),
    third_party_instance_id: Type.Optional(Type.String()),
  }),
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
