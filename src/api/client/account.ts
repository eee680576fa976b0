import { endpoint } from "../endpoint.ts";

export const getTokenOwner = endpoint({
  operationId: "getTokenOwner",
  method: "GET",
  path: "/account/whoami",
  versions: ["v3", "r0"],
  access: "user",
  guests: true,
  rateLimit: "default",
});
