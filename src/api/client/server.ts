import { endpoint } from "../endpoint.ts";

export const getVersions = endpoint({
  operationId: "getVersions",
  method: "GET",
  path: "/_matrix/client/versions",
  versions: [],
  access: "optional-user",
  guests: true,
  rateLimit: "none",
});

export const getWellknown = endpoint({
  operationId: "getWellknown",
  method: "GET",
  path: "/.well-known/matrix/client",
  versions: [],
  access: "public",
  rateLimit: "none",
});
