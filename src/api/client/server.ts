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
