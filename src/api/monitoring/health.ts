import { endpoint } from "../endpoint.ts";

const health = { method: "GET", versions: [], api: "every", access: "public", rateLimit: "none" } as const;

/** Whether the process answers: one that does not had better be started anew. Synapse has it under the same path. */
export const getLiveness = endpoint({ ...health, operationId: "hearthGetLiveness", path: "/health" });

/** Whether requests can be served: while they cannot, a proxy had better send them elsewhere. */
export const getReadiness = endpoint({
  ...health,
  operationId: "hearthGetReadiness",
  path: "/_hearth/ready",
});
