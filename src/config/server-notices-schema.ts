import { Type } from "../schema/type.ts";
import { nullable } from "./schema-parts.ts";

/** Messages of the server to its users. */
export const serverNoticeKeys = {
  server_notices: Type.Object({
    localpart: nullable(
      Type.String({ minLength: 1 }),
      "The user who writes to users in the server's name, such as notices: it is made at the start, and nobody can sign " +
        "in as it. Administrators send notices through /_synapse/admin/v1/send_server_notice. null: there are none.",
    ),
    display_name: Type.String({
      description: "What that user is called.",
      default: "Server notices",
      minLength: 1,
    }),
    avatar_url: nullable(
      Type.String({ minLength: 1 }),
      "That user's picture, and the rooms': an mxc:// address.",
    ),
    room_name: Type.String({
      description: "What the room is called in which a user reads them.",
      default: "Server notices",
      minLength: 1,
    }),
    auto_join: Type.Boolean({
      description: "Whether users are in that room at once. Otherwise they are invited, and cannot refuse.",
      default: false,
    }),
  }),
};
