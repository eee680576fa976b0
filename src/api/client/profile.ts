import { Type } from "../../schema/type.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { endpoint } from "../endpoint.ts";

const versions = ["v3", "r0"];
const fieldPath = "/profile/{userId}/{keyName}";
/** MSC4133 before it was part of the specification. */
const fieldAliases = ["/_matrix/client/unstable/uk.tcpip.msc4133/profile/{userId}/{keyName}"];

export const getUserProfile = endpoint({
  operationId: "getUserProfile",
  method: "GET",
  path: "/profile/{userId}",
  versions,
  aliases: ["/_matrix/client/unstable/uk.tcpip.msc4133/profile/{userId}"],
  access: "public",
  rateLimit: "default",
});

export const getProfileField = endpoint({
  operationId: "getProfileField",
  method: "GET",
  path: fieldPath,
  versions,
  aliases: fieldAliases,
  access: "public",
  rateLimit: "default",
});

export const setProfileField = endpoint({
  operationId: "setProfileField",
  method: "PUT",
  path: fieldPath,
  versions,
  aliases: fieldAliases,
  access: "user",
  guests: true,
  rateLimit: "default",
  body: Type.Unsafe<JsonObject>(Type.Object({})),
});

export const deleteProfileField = endpoint({
  operationId: "deleteProfileField",
  method: "DELETE",
  path: fieldPath,
  versions,
  aliases: fieldAliases,
  access: "user",
  guests: true,
  rateLimit: "default",
});
