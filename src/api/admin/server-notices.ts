import { Type } from "../../schema/type.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { adminEndpoint } from "./admin-endpoint.ts";

const body = Type.Object({
  user_id: Type.String(),
  type: Type.Optional(Type.String({ minLength: 1 })),
  state_key: Type.Optional(Type.String()),
  content: Type.Unsafe<JsonObject>({ type: "object" }),
});

export const sendServerNotice = adminEndpoint({
  operationId: "adminSendServerNotice",
  method: "POST",
  path: "/_synapse/admin/v1/send_server_notice",
  body,
});

/** The same, so that a repeated request sends one notice. */
export const sendServerNoticeOnce = adminEndpoint({
  operationId: "adminSendServerNoticeOnce",
  method: "PUT",
  path: "/_synapse/admin/v1/send_server_notice/{txnId}",
  body,
});
