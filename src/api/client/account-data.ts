import { Type } from "../../schema/type.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { endpoint } from "../endpoint.ts";

const versions = ["v3", "r0"];
const content = Type.Unsafe<JsonObject>(Type.Object({}));

export const setAccountData = endpoint({
  operationId: "setAccountData",
  method: "PUT",
  path: "/user/{userId}/account_data/{type}",
  versions,
  access: "user",
  rateLimit: "default",
  body: content,
});

export const getAccountData = endpoint({
  operationId: "getAccountData",
  method: "GET",
  path: "/user/{userId}/account_data/{type}",
  versions,
  access: "user",
  rateLimit: "default",
});

export const setAccountDataPerRoom = endpoint({
  operationId: "setAccountDataPerRoom",
  method: "PUT",
  path: "/user/{userId}/rooms/{roomId}/account_data/{type}",
  versions,
  access: "user",
  rateLimit: "default",
  body: content,
});

export const getAccountDataPerRoom = endpoint({
  operationId: "getAccountDataPerRoom",
  method: "GET",
  path: "/user/{userId}/rooms/{roomId}/account_data/{type}",
  versions,
  access: "user",
  rateLimit: "default",
});

/** MSC3391, under its unstable path. */
export const deleteAccountData = endpoint({
  operationId: "deleteAccountData",
  method: "DELETE",
  path: "/_matrix/client/unstable/org.matrix.msc3391/user/{userId}/account_data/{type}",
  versions: [],
  access: "user",
  rateLimit: "default",
});

export const deleteAccountDataPerRoom = endpoint({
  operationId: "deleteAccountDataPerRoom",
  method: "DELETE",
  path: "/_matrix/client/unstable/org.matrix.msc3391/user/{userId}/rooms/{roomId}/account_data/{type}",
  versions: [],
  access: "user",
  rateLimit: "default",
});

export const getRoomTags = endpoint({
  operationId: "getRoomTags",
  method: "GET",
  path: "/user/{userId}/rooms/{roomId}/tags",
  versions,
  access: "user",
  rateLimit: "default",
});

export const setRoomTag = endpoint({
  operationId: "setRoomTag",
  method: "PUT",
  path: "/user/{userId}/rooms/{roomId}/tags/{tag}",
  versions,
  access: "user",
  rateLimit: "default",
  body: Type.Unsafe<JsonObject>(
    Type.Object({ order: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })) }),
  ),
});

export const deleteRoomTag = endpoint({
  operationId: "deleteRoomTag",
  method: "DELETE",
  path: "/user/{userId}/rooms/{roomId}/tags/{tag}",
  versions,
  access: "user",
  rateLimit: "default",
});
