import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

/** For services that users show a token to: they are no servers, and sign nothing. */
export const exchangeOpenIdToken = endpoint({
  operationId: "exchangeOpenIdToken",
  method: "GET",
  prefix: "/_matrix/federation",
  path: "/openid/userinfo",
  versions: ["v1"],
  api: "federation",
  access: "public",
  rateLimit: "default",
  query: Type.Object({ access_token: Type.Optional(Type.String()) }),
});
