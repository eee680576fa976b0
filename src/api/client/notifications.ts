import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

export const getNotifications = endpoint({
  operationId: "getNotifications",
  method: "GET",
  path: "/notifications",
  versions: ["v3", "r0"],
  access: "user",
  rateLimit: "default",
  query: Type.Object({
    from: Type.Optional(Type.String()),
    limit: Type.Optional(Type.Integer({ minimum: 1 })),
    only: Type.Optional(Type.String()),
  }),
});
