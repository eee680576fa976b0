import { Type } from "typebox";
import { serverEndpoint } from "../endpoint.ts";

const page = {
  limit: Type.Optional(Type.Integer({ minimum: 0 })),
  since: Type.Optional(Type.String()),
  include_all_networks: Type.Optional(Type.Boolean()),
  third_party_instance_id: Type.Optional(Type.String()),
};

/** Server-server API, "Published Room Directory". */
export const getPublicRooms = serverEndpoint({
  operationId: "getPublicRooms",
  method: "GET",
  path: "/publicRooms",
  versions: ["v1"],
  query: Type.Object(page),
});

export const queryPublicRooms = serverEndpoint({
  operationId: "queryPublicRooms",
  method: "POST",
  path: "/publicRooms",
  versions: ["v1"],
  body: Type.Object({
    ...page,
    filter: Type.Optional(
      Type.Object({
        generic_search_term: Type.Optional(Type.String({ maxLength: 1000 })),
        room_types: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Null()]))),
      }),
    ),
  }),
});

/** Server-server API, "Spaces". */
export const getSpaceHierarchy = serverEndpoint({
  operationId: "getSpaceHierarchy",
  method: "GET",
  path: "/hierarchy/{roomId}",
  versions: ["v1"],
  query: Type.Object({ suggested_only: Type.Optional(Type.Boolean()) }),
});
