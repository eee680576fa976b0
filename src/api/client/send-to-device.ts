import { Type } from "../../schema/type.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { endpoint } from "../endpoint.ts";

export const sendToDevice = endpoint({
  operationId: "sendToDevice",
  method: "PUT",
  path: "/sendToDevice/{eventType}/{txnId}",
  versions: ["v3", "r0", "unstable"],
  access: "user",
  guests: true,
  rateLimit: "default",
  // Some 250 encrypted messages fit into 1 MiB: clients send that many and more at once.
  maxBodyBytes: 8 * 1024 * 1024,
  body: Type.Object({
    messages: Type.Record(
      Type.String(),
      Type.Record(Type.String(), Type.Unsafe<JsonObject>(Type.Object({}))),
    ),
  }),
});
