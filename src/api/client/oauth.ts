import { endpoint } from "../endpoint.ts";

export const getAuthMetadata = endpoint({
  operationId: "getAuthMetadata",
  method: "GET",
  path: "/auth_metadata",
  versions: ["v1"],
  aliases: [
    "/_matrix/client/unstable/org.matrix.msc2965/auth_metadata",
    // Where libraries for OAuth look for it, which begin from the issuer.
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
  ],
  access: "public",
  rateLimit: "default",
});

/** MSC2965 as it was once: clients went on from the issuer. */
export const getAuthIssuer = endpoint({
  operationId: "getAuthIssuer",
  method: "GET",
  path: "/_matrix/client/unstable/org.matrix.msc2965/auth_issuer",
  versions: [],
  access: "public",
  rateLimit: "default",
});
