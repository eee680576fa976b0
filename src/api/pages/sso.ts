import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

/** Where providers send browsers back to: the path that other homeservers have, so that providers know it already. */
export const ssoCallback = endpoint({
  operationId: "ssoCallback",
  method: "GET",
  path: "/_synapse/client/oidc/callback",
  versions: [],
  access: "public",
  rateLimit: "authorization",
});

/** Somebody new has chosen a username. */
export const ssoChooseName = endpoint({
  operationId: "ssoChooseName",
  method: "POST",
  path: "/_synapse/client/pick_username/account_details",
  versions: [],
  access: "public",
  rateLimit: "registration",
  bodyFormat: "form",
  body: Type.Object({ newcomer: Type.String(), username: Type.String() }),
});

/** Somebody agrees to go on to a client that the server does not know. */
export const ssoConfirmClient = endpoint({
  operationId: "ssoConfirmClient",
  method: "POST",
  path: "/_synapse/client/sso_confirm",
  versions: [],
  access: "public",
  rateLimit: "login",
  bodyFormat: "form",
  body: Type.Object({ confirmation: Type.String() }),
});
