import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";
import { stickyDurationMs } from "./room-sending.ts";

const unstable = "/_matrix/client/unstable/org.matrix.msc4140";

/** MSC4140. Clients of today give /send and /state a delay instead; see `room-sending.ts`. */
export const scheduleDelayedEvent = endpoint({
  operationId: "scheduleDelayedEvent",
  method: "PUT",
  path: "/rooms/{roomId}/delayed_event/{eventType}/{txnId}",
  versions: ["v3"],
  aliases: [`${unstable}/rooms/{roomId}/delayed_event/{eventType}/{txnId}`],
  access: "user",
  guests: true,
  rateLimit: "message",
  query: Type.Object({
    "org.matrix.msc4354.sticky_duration_ms": stickyDurationMs,
    ts: Type.Optional(Type.Integer({ minimum: 0 })),
  }),
  body: Type.Object({
    delay_ms: Type.Integer({ minimum: 1 }),
    state_key: Type.Optional(Type.String()),
    content: Type.Record(Type.String(), Type.Unknown()),
  }),
});

export const getDelayedEvent = endpoint({
  operationId: "getDelayedEvent",
  method: "GET",
  path: "/delayed_events/{delayId}",
  versions: ["v1"],
  aliases: [`${unstable}/delayed_events/{delayId}`],
  access: "user",
  guests: true,
  rateLimit: "default",
});

/** MSC4140, with the parameters of MSC4486. */
export const getDelayedEvents = endpoint({
  operationId: "getDelayedEvents",
  method: "GET",
  path: "/delayed_events",
  versions: ["v1"],
  aliases: [`${unstable}/delayed_events`],
  access: "user",
  guests: true,
  rateLimit: "default",
  query: Type.Object({
    "org.matrix.msc4486.from_ts": Type.Optional(Type.Integer()),
    "org.matrix.msc4486.to_ts": Type.Optional(Type.Integer()),
    "org.matrix.msc4486.dir": Type.Optional(Type.Enum(["f", "b"])),
    "org.matrix.msc4486.from": Type.Optional(Type.String()),
    "org.matrix.msc4486.room_id": Type.Optional(Type.String()),
    "org.matrix.msc4486.type": Type.Optional(Type.String()),
    "org.matrix.msc4486.status": Type.Optional(Type.Enum(["scheduled", "sent", "cancelled", "failed"])),
  }),
});

/** Whoever knows the ID of a delayed event may manage it: clients share it with those who watch over their connection. */
const managing = { method: "POST", versions: ["v1"], access: "optional-user", guests: true } as const;

export const restartDelayedEvent = endpoint({
  operationId: "restartDelayedEvent",
  path: "/delayed_events/{delayId}/restart",
  aliases: [`${unstable}/delayed_events/{delayId}/restart`],
  rateLimit: "default",
  ...managing,
});

export const sendDelayedEvent = endpoint({
  operationId: "sendDelayedEvent",
  path: "/delayed_events/{delayId}/send",
  aliases: [`${unstable}/delayed_events/{delayId}/send`],
  rateLimit: "default",
  ...managing,
});

export const cancelDelayedEvent = endpoint({
  operationId: "cancelDelayedEvent",
  path: "/delayed_events/{delayId}/cancel",
  aliases: [`${unstable}/delayed_events/{delayId}/cancel`],
  rateLimit: "default",
  ...managing,
});

/** An earlier form of the three, which clients go back to. */
export const updateDelayedEvent = endpoint({
  operationId: "updateDelayedEvent",
  path: `${unstable}/delayed_events/{delayId}`,
  rateLimit: "default",
  ...managing,
  versions: [],
  body: Type.Object({ action: Type.Enum(["restart", "send", "cancel"]) }),
});
