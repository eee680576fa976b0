import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

const versions = ["v3", "r0", "v1"] as const;

export const getRoomIdByAlias = endpoint({
  operationId: "getRoomIdByAlias",
  method: "GET",
  path: "/directory/room/{roomAlias}",
  versions,
  access: "public",
  // Anybody can have other servers asked by it.
  rateLimit: "default",
});

export const setRoomAlias = endpoint({
  operationId: "setRoomAlias",
  method: "PUT",
  path: "/directory/room/{roomAlias}",
  versions,
  access: "user",
  rateLimit: "default",
  body: Type.Object({ room_id: Type.String() }),
});

export const deleteRoomAlias = endpoint({
  operationId: "deleteRoomAlias",
  method: "DELETE",
  path: "/directory/room/{roomAlias}",
  versions,
  access: "user",
  rateLimit: "default",
});

export const getLocalAliases = endpoint({
  operationId: "getLocalAliases",
  method: "GET",
  path: "/rooms/{roomId}/aliases",
  versions: ["v3", "r0"],
  access: "user",
  rateLimit: "default",
});

export const getRoomVisibilityOnDirectory = endpoint({
  operationId: "getRoomVisibilityOnDirectory",
  method: "GET",
  path: "/directory/list/room/{roomId}",
  versions: ["v3", "r0"],
  access: "public",
  rateLimit: "none",
});

export const setRoomVisibilityOnDirectory = endpoint({
  operationId: "setRoomVisibilityOnDirectory",
  method: "PUT",
  path: "/directory/list/room/{roomId}",
  versions: ["v3", "r0"],
  access: "user",
  rateLimit: "default",
  body: Type.Object({ visibility: Type.Optional(Type.Enum(["public", "private"])) }),
});
