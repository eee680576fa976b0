import { endpoint } from "../endpoint.ts";

/** Served by listeners that are for it only: whoever reaches them may read. */
export const getMetrics = endpoint({
  operationId: "hearthGetMetrics",
  method: "GET",
  path: "/metrics",
  aliases: ["/_synapse/metrics"],
  versions: [],
  api: "metrics",
  access: "public",
  rateLimit: "none",
});
