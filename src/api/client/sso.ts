import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

const query = Type.Object({
  redirectUrl: Type.String(),
  /** Whether somebody wants to log in or to register. */
  action: Type.Optional(Type.String()),
});

export const redirectToSSO = endpoint({
  operationId: "redirectToSSO",
  method: "GET",
  path: "/login/sso/redirect",
  versions: ["v3", "r0"],
  access: "public",
  rateLimit: "authorization",
  query,
});

export const redirectToIdP = endpoint({
  operationId: "redirectToIdP",
  method: "GET",
  path: "/login/sso/redirect/{idpId}",
  versions: ["v3", "r0"],
  // Where Synapse had it while it was new; clients of that time still ask there.
  aliases: ["/_matrix/client/unstable/org.matrix.msc2858/login/sso/redirect/{idpId}"],
  access: "public",
  rateLimit: "authorization",
  query,
});
