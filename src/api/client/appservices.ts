import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

export const pingAppservice = endpoint({
  operationId: "pingAppservice",
  method: "POST",
  path: "/appservice/{appserviceId}/ping",
  versions: ["v1"],
  aliases: ["/_matrix/client/unstable/fi.mau.msc2659/appservice/{appserviceId}/ping"],
  access: "appservice",
  rateLimit: "default",
  body: Type.Object({ transaction_id: Type.Optional(Type.String({ maxLength: 255 })) }),
});

export const updateAppserviceRoomDirectoryVisibility = endpoint({
  operationId: "updateAppserviceRoomDirectoryVisibility",
  method: "PUT",
  path: "/directory/list/appservice/{networkId}/{roomId}",
  versions: ["v3", "r0"],
  access: "appservice",
  rateLimit: "default",
  body: Type.Object({ visibility: Type.Enum(["public", "private"]) }),
});
