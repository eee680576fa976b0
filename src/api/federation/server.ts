import { endpoint } from "../endpoint.ts";

/** Server-server API, "Server Discovery". */
export const getWellKnown = endpoint({
  operationId: "getWellKnown",
  method: "GET",
  path: "/.well-known/matrix/server",
  versions: [],
  api: "federation",
  access: "public",
  rateLimit: "none",
});

/** Server-server API, "Server Implementation". */
export const getVersion = endpoint({
  operationId: "getVersion",
  method: "GET",
  prefix: "/_matrix/federation",
  path: "/version",
  versions: ["v1"],
  api: "federation",
  access: "public",
  rateLimit: "default",
});
