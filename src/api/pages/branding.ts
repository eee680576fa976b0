import { endpoint } from "../endpoint.ts";

/** The organisation's picture at the head of the pages. */
export const getLogo = endpoint({
  operationId: "getLogo",
  method: "GET",
  path: "/account/logo",
  versions: [],
  access: "public",
  rateLimit: "none",
});
