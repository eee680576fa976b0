import { Type } from "../../schema/type.ts";
import { serverEndpoint } from "../endpoint.ts";

const maxPdus = 50;
const maxEdus = 100;
/** All events as large as they may be, and as much again for `unsigned` and EDUs. */
const maxTransactionBytes = 16 * 1024 * 1024;

/** Server-server API, "Transactions". */
export const sendTransaction = serverEndpoint({
  operationId: "sendTransaction",
  method: "PUT",
  path: "/send/{txnId}",
  versions: ["v1"],
  maxBodyBytes: maxTransactionBytes,
  body: Type.Object({
    origin: Type.Optional(Type.String()),
    origin_server_ts: Type.Optional(Type.Integer()),
    pdus: Type.Array(Type.Unknown(), { maxItems: maxPdus }),
    edus: Type.Optional(Type.Array(Type.Unknown(), { maxItems: maxEdus })),
  }),
});
