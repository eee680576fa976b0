import { adminEndpoint } from "./admin-endpoint.ts";

// How the server itself is, for those who keep it running.

export const getServerOverview = adminEndpoint({
  operationId: "adminGetServerOverview",
  method: "GET",
  path: "/_hearth/admin/v1/server/overview",
});

export const listAppservices = adminEndpoint({
  operationId: "adminListAppservices",
  method: "GET",
  path: "/_hearth/admin/v1/server/appservices",
});

export const getConfiguration = adminEndpoint({
  operationId: "adminGetConfiguration",
  method: "GET",
  path: "/_hearth/admin/v1/server/configuration",
});
