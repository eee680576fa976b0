import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

export const sync = endpoint({
  operationId: "sync",
  method: "GET",
  path: "/sync",
  versions: ["v3", "r0"],
  access: "user",
  guests: true,
  rateLimit: "none",
  query: Type.Object({
    filter: Type.Optional(Type.String({ maxLength: 65_536 })),
    since: Type.Optional(Type.String({ maxLength: 255 })),
    full_state: Type.Optional(Type.Boolean()),
    set_presence: Type.Optional(Type.Enum(["offline", "online", "unavailable"])),
    timeout: Type.Optional(Type.Integer({ minimum: 0 })),
    use_state_after: Type.Optional(Type.Boolean()),
    "org.matrix.msc4222.use_state_after": Type.Optional(Type.Boolean()),
  }),
});
