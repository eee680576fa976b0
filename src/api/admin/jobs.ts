import { Type } from "../../schema/type.ts";
import { adminEndpoint } from "./admin-endpoint.ts";

export const listJobs = adminEndpoint({
  operationId: "adminListJobs",
  method: "GET",
  path: "/_hearth/admin/v1/jobs",
  query: Type.Object({
    from: Type.Optional(Type.String({ minLength: 1 })),
    limit: Type.Optional(Type.Integer({ minimum: 1 })),
    kind: Type.Optional(Type.String()),
    subject: Type.Optional(Type.String()),
    state: Type.Optional(Type.Enum(["waiting", "running", "done", "failed", "cancelled"])),
  }),
});

export const getJob = adminEndpoint({
  operationId: "adminGetJob",
  method: "GET",
  path: "/_hearth/admin/v1/jobs/{jobId}",
});

export const cancelJob = adminEndpoint({
  operationId: "adminCancelJob",
  method: "POST",
  path: "/_hearth/admin/v1/jobs/{jobId}/cancel",
});
