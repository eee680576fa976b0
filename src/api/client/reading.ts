import type { Static } from "typebox";
import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

const versions = ["v3", "r0", "v1"] as const;
const token = Type.Optional(Type.String({ maxLength: 255 }));
const limit = Type.Optional(Type.Integer({ minimum: 0 }));
const filter = Type.Optional(Type.String({ maxLength: 65_536 }));
const direction = Type.Enum(["b", "f"]);
const membership = Type.Enum(["join", "invite", "knock", "leave", "ban"]);

/** What members may read, and guests and strangers where a room is open to them. */
const reading = { method: "GET", versions, access: "user", guests: true, rateLimit: "default" } as const;

// `dir` is needed, but who may not read the room is told so first.
export const messagesQuery = Type.Object({
  from: token,
  to: token,
  dir: Type.Optional(direction),
  limit,
  filter,
});
export const contextQuery = Type.Object({ limit, filter });

export const getRoomEvents = endpoint({
  ...reading,
  operationId: "getRoomEvents",
  path: "/rooms/{roomId}/messages",
  query: messagesQuery,
});

export const getEventContext = endpoint({
  ...reading,
  operationId: "getEventContext",
  path: "/rooms/{roomId}/context/{eventId}",
  query: contextQuery,
});

export const getOneRoomEvent = endpoint({
  ...reading,
  operationId: "getOneRoomEvent",
  path: "/rooms/{roomId}/event/{eventId}",
});

export const getRoomState = endpoint({
  ...reading,
  operationId: "getRoomState",
  path: "/rooms/{roomId}/state",
});

const stateFormat = Type.Object({ format: Type.Optional(Type.Enum(["content", "event"])) });

export const getRoomStateWithKey = endpoint({
  ...reading,
  operationId: "getRoomStateWithKey",
  path: "/rooms/{roomId}/state/{eventType}/{stateKey}",
  query: stateFormat,
});

/** The same with an empty state key. */
export const getRoomStateWithoutKey = endpoint({
  ...reading,
  operationId: "getRoomStateWithKey",
  path: "/rooms/{roomId}/state/{eventType}",
  query: stateFormat,
  trailingSlash: true,
});

export const getMembersByRoom = endpoint({
  ...reading,
  operationId: "getMembersByRoom",
  path: "/rooms/{roomId}/members",
  query: Type.Object({
    at: token,
    membership: Type.Optional(membership),
    not_membership: Type.Optional(membership),
  }),
});

export const getJoinedMembersByRoom = endpoint({
  ...reading,
  operationId: "getJoinedMembersByRoom",
  path: "/rooms/{roomId}/joined_members",
  guests: false,
});

export const getJoinedRooms = endpoint({
  ...reading,
  operationId: "getJoinedRooms",
  path: "/joined_rooms",
  guests: false,
});

const relationsQuery = Type.Object({
  from: token,
  to: token,
  dir: Type.Optional(direction),
  limit,
  recurse: Type.Optional(Type.Boolean()),
});
export type RelationsQueryJson = Static<typeof relationsQuery>;

/** Since v1.3; before that under the names of MSC2675 and MSC3856. */
const relating = {
  method: "GET",
  versions: ["v1"],
  access: "user",
  rateLimit: "default",
  query: relationsQuery,
} as const;
const unstable = "/_matrix/client/unstable";

export const getRelatingEvents = endpoint({
  ...relating,
  operationId: "getRelatingEvents",
  path: "/rooms/{roomId}/relations/{eventId}",
  aliases: [`${unstable}/rooms/{roomId}/relations/{eventId}`],
});

export const getRelatingEventsWithRelType = endpoint({
  ...relating,
  operationId: "getRelatingEventsWithRelType",
  path: "/rooms/{roomId}/relations/{eventId}/{relType}",
  aliases: [`${unstable}/rooms/{roomId}/relations/{eventId}/{relType}`],
});

export const getRelatingEventsWithRelTypeAndEventType = endpoint({
  ...relating,
  operationId: "getRelatingEventsWithRelTypeAndEventType",
  path: "/rooms/{roomId}/relations/{eventId}/{relType}/{eventType}",
  aliases: [`${unstable}/rooms/{roomId}/relations/{eventId}/{relType}/{eventType}`],
});

export const getThreadRoots = endpoint({
  operationId: "getThreadRoots",
  method: "GET",
  path: "/rooms/{roomId}/threads",
  versions: ["v1"],
  aliases: [`${unstable}/org.matrix.msc3856/rooms/{roomId}/threads`],
  access: "user",
  rateLimit: "default",
  query: Type.Object({
    include: Type.Optional(Type.Enum(["all", "participated"])),
    limit: Type.Optional(Type.Integer({ minimum: 1 })),
    from: token,
  }),
});

export const getEventByTimestamp = endpoint({
  operationId: "getEventByTimestamp",
  method: "GET",
  path: "/rooms/{roomId}/timestamp_to_event",
  versions: ["v1"],
  aliases: [`${unstable}/org.matrix.msc3030/rooms/{roomId}/timestamp_to_event`],
  access: "user",
  rateLimit: "default",
  query: Type.Object({ ts: Type.Integer(), dir: direction }),
});
