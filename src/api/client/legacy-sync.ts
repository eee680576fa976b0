import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

const versions = ["v3", "r0", "v1"] as const;
const limit = Type.Optional(Type.Integer({ minimum: 0 }));

/** What clients did before there was /sync, and how rooms are peeked into ("Room Previews"). */
const legacy = { method: "GET", versions, access: "user", rateLimit: "default" } as const;

export const initialSync = endpoint({
  ...legacy,
  operationId: "initialSync",
  path: "/initialSync",
  query: Type.Object({ limit, archived: Type.Optional(Type.Boolean()) }),
});

export const roomInitialSync = endpoint({
  ...legacy,
  operationId: "roomInitialSync",
  path: "/rooms/{roomId}/initialSync",
  guests: true,
  query: Type.Object({ limit }),
});

/** Also `peekEvents`: that is the same with a `room_id`. */
export const getEvents = endpoint({
  ...legacy,
  operationId: "getEvents",
  path: "/events",
  guests: true,
  rateLimit: "none",
  query: Type.Object({
    from: Type.Optional(Type.String({ maxLength: 255 })),
    timeout: Type.Optional(Type.Integer({ minimum: 0 })),
    room_id: Type.Optional(Type.String({ maxLength: 255 })),
  }),
});

export const getOneEvent = endpoint({
  ...legacy,
  operationId: "getOneEvent",
  path: "/events/{eventId}",
});
