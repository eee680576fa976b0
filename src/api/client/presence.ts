import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

const versions = ["v3", "r0"] as const;

export const setPresence = endpoint({
  operationId: "setPresence",
  method: "PUT",
  path: "/presence/{userId}/status",
  versions,
  access: "user",
  rateLimit: "default",
  body: Type.Object({
    presence: Type.Enum(["online", "offline", "unavailable"]),
    status_msg: Type.Optional(Type.Union([Type.String({ maxLength: 1000 }), Type.Null()])),
  }),
});

export const getPresence = endpoint({
  operationId: "getPresence",
  method: "GET",
  path: "/presence/{userId}/status",
  versions,
  access: "user",
  rateLimit: "default",
});
