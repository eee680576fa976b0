import { Type } from "../schema/type.ts";
import { nullable, outboundKeys } from "./schema-parts.ts";

const serverPatterns = (description: string) =>
  Type.Array(Type.String({ minLength: 1 }), { description, default: [], maxItems: 10_000 });

const oldKey = Type.Object({
  key_id: Type.String({
    description: "The key's ID, such as ed25519:a_12ab34.",
    pattern: "^ed25519:[A-Za-z0-9_]+$",
  }),
  public_key: Type.String({ description: "The public key in Base64.", pattern: "^[A-Za-z0-9+/]{43}=?$" }),
  expired_ts: Type.Integer({
    description: "When it was used for the last time, in milliseconds since 1970.",
    minimum: 0,
  }),
});

export const federationKeys = {
  federation: Type.Object({
    enabled: Type.Boolean({
      description: "Whether this server talks with other Matrix servers.",
      default: true,
    }),
    public_address: nullable(
      Type.String({ minLength: 1, example: "matrix.example.org:443" }),
      "Where other servers reach this one, as host and port. Told in /.well-known/matrix/server, for which other " +
        "servers ask under the name in server_name. null: nothing is told, and they connect to that name, port 8448.",
    ),
    allowed_servers: nullable(
      serverPatterns("Names of servers; * and ? stand for any characters and for one."),
      "The only servers that this one talks with, as patterns with * and ?. null: all that are not denied.",
    ),
    denied_servers: serverPatterns("Servers that this one does not talk with, as patterns with * and ?."),
    share_room_directory: Type.Boolean({
      description:
        "Whether users of other servers may look into this server's directory of rooms. What is in it is public to " +
        "them as well then; who knows a room's address can find it in any case.",
      default: false,
    }),
    key_notaries: Type.Array(Type.String({ rule: "server-name" }), {
      description:
        "Servers that are asked for the keys of a server that does not answer itself. They are believed.",
      default: [],
      maxItems: 20,
    }),
    old_signing_keys: Type.Array(oldKey, {
      description:
        "Public keys that this server signed with before it got the one it has, so that what it signed then is still " +
        "believed.",
      default: [],
      maxItems: 50,
    }),
    ...outboundKeys("other servers"),
  }),
};
