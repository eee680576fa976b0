import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

export const setTyping = endpoint({
  operationId: "setTyping",
  method: "PUT",
  path: "/rooms/{roomId}/typing/{userId}",
  versions: ["v3", "r0"],
  access: "user",
  rateLimit: "default",
  body: Type.Object({
    typing: Type.Boolean(),
    timeout: Type.Optional(Type.Integer({ minimum: 0 })),
  }),
});
