import { endpoint } from "../endpoint.ts";

export const getWellknown = endpoint({
  operationId: "getWellknown",
  method: "GET",
  path: "/.well-known/matrix/client",
  versions: [],
  access: "public",
  rateLimit: "none",
});

export const getWellknownSupport = endpoint({
  operationId: "getWellknownSupport",
  method: "GET",
  path: "/.well-known/matrix/support",
  versions: [],
  access: "public",
  rateLimit: "none",
});

export const getWellknownPolicy = endpoint({
  operationId: "getWellknownPolicy",
  method: "GET",
  path: "/.well-known/matrix/policy_server",
  versions: [],
  access: "public",
  rateLimit: "none",
});
