import { Type } from "../../schema/type.ts";
import { adminEndpoint } from "./admin-endpoint.ts";

export const listAuditLog = adminEndpoint({
  operationId: "adminListAuditLog",
  method: "GET",
  path: "/_hearth/admin/v1/audit_log",
  query: Type.Object({
    from: Type.Optional(Type.String({ minLength: 1 })),
    limit: Type.Optional(Type.Integer({ minimum: 1 })),
    actor: Type.Optional(Type.String()),
    action: Type.Optional(Type.String()),
    target: Type.Optional(Type.String()),
    from_ts: Type.Optional(Type.Integer({ minimum: 0 })),
    to_ts: Type.Optional(Type.Integer({ minimum: 0 })),
  }),
});

/** Reads the whole log and compares its hashes. */
export const checkAuditLog = adminEndpoint({
  operationId: "adminCheckAuditLog",
  method: "GET",
  path: "/_hearth/admin/v1/audit_log/check",
});
