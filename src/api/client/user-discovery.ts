import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

export const searchUserDirectory = endpoint({
  operationId: "searchUserDirectory",
  method: "POST",
  path: "/user_directory/search",
  versions: ["v3", "r0"],
  access: "user",
  rateLimit: "default",
  body: Type.Object({
    search_term: Type.String({ maxLength: 1000 }),
    limit: Type.Optional(Type.Integer()),
  }),
});

export const getMutualRooms = endpoint({
  operationId: "getMutualRooms",
  method: "GET",
  path: "/mutual_rooms",
  versions: ["v1"],
  aliases: ["/_matrix/client/unstable/uk.half-shot.msc2666/user/mutual_rooms"],
  access: "user",
  rateLimit: "default",
  query: Type.Object({
    user_id: Type.String(),
    from: Type.Optional(Type.String()),
    // What `from` was called before it was specified.
    batch_token: Type.Optional(Type.String()),
  }),
});
