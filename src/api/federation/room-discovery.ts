import { Type } from "../../schema/type.ts";
import { serverEndpoint } from "../endpoint.ts";
import { directoryFilter, directoryPage } from "../room-directory.ts";

const page = { ...directoryPage, limit: Type.Optional(Type.Integer({ minimum: 0 })) };

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
  body: Type.Object({ ...page, filter: directoryFilter }),
});

/** Server-server API, "Spaces". */
export const getSpaceHierarchy = serverEndpoint({
  operationId: "getSpaceHierarchy",
  method: "GET",
  path: "/hierarchy/{roomId}",
  versions: ["v1"],
  query: Type.Object({ suggested_only: Type.Optional(Type.Boolean()) }),
});
