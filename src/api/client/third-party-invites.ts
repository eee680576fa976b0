import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

/** As `pubkey/ephemeral/isvalid` of the identity service API: other servers ask it about invitations by e-mail. */
export const isInviteKeyValid = endpoint({
  operationId: "isInviteKeyValid",
  method: "GET",
  path: "/_matrix/client/unstable/hearth/invite_keys/isvalid",
  versions: [],
  access: "public",
  rateLimit: "default",
  query: Type.Object({ public_key: Type.String() }),
});
