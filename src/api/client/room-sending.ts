import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

const versions = ["v3", "r0", "v1"] as const;
/** Content of an event: any JSON object. */
const content = Type.Record(Type.String(), Type.Unknown());

export const stickyDurationMs = Type.Optional(Type.Integer({ minimum: 0, maximum: 3_600_000 }));

const query = Type.Object({
  /** The event's time, as an application service says (application service API, "Timestamp massaging"). */
  ts: Type.Optional(Type.Integer({ minimum: 0 })),
  /** In milliseconds: the event is sent later (MSC4140, in the form of today's clients). */
  "org.matrix.msc4140.delay": Type.Optional(Type.Integer({ minimum: 1 })),
  /** Everybody in the room gets the event for so long (MSC4354). */
  "org.matrix.msc4354.sticky_duration_ms": stickyDurationMs,
});

export const sendMessage = endpoint({
  operationId: "sendMessage",
  method: "PUT",
  path: "/rooms/{roomId}/send/{eventType}/{txnId}",
  versions,
  access: "user",
  guests: true,
  rateLimit: "message",
  query,
  body: content,
});

export const setRoomStateWithKey = endpoint({
  operationId: "setRoomStateWithKey",
  method: "PUT",
  path: "/rooms/{roomId}/state/{eventType}/{stateKey}",
  versions,
  access: "user",
  guests: true,
  rateLimit: "message",
  query,
  body: content,
});

/** The same with an empty state key. */
export const setRoomState = endpoint({
  operationId: "setRoomStateWithKey",
  method: "PUT",
  path: "/rooms/{roomId}/state/{eventType}",
  versions,
  access: "user",
  guests: true,
  rateLimit: "message",
  query,
  body: content,
  trailingSlash: true,
});

export const redactEvent = endpoint({
  operationId: "redactEvent",
  method: "PUT",
  path: "/rooms/{roomId}/redact/{eventId}/{txnId}",
  versions,
  access: "user",
  rateLimit: "message",
  body: Type.Object({ reason: Type.Optional(Type.String()) }),
});
