import { Type } from "../../schema/type.ts";
import { adminEndpoint } from "./admin-endpoint.ts";

const body = Type.Object({
  delete_local_events: Type.Optional(Type.Boolean()),
  purge_up_to_event_id: Type.Optional(Type.String({ maxLength: 255 })),
  purge_up_to_ts: Type.Optional(Type.Integer({ minimum: 0 })),
});

export const purgeHistory = adminEndpoint({
  operationId: "adminPurgeHistory",
  method: "POST",
  path: "/_synapse/admin/v1/purge_history/{roomId}",
  body,
});

export const purgeHistoryBefore = adminEndpoint({
  operationId: "adminPurgeHistoryBefore",
  method: "POST",
  path: "/_synapse/admin/v1/purge_history/{roomId}/{eventId}",
  body,
});

export const getPurgeStatus = adminEndpoint({
  operationId: "adminGetPurgeStatus",
  method: "GET",
  path: "/_synapse/admin/v1/purge_history_status/{purgeId}",
});
