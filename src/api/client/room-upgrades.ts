import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

export const upgradeRoom = endpoint({
  operationId: "upgradeRoom",
  method: "POST",
  path: "/rooms/{roomId}/upgrade",
  versions: ["v3", "r0"],
  access: "user",
  rateLimit: "default",
  body: Type.Object({
    new_version: Type.String(),
    additional_creators: Type.Optional(Type.Array(Type.String())),
  }),
});
