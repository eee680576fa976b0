import { Type } from "../../schema/type.ts";
import { serverEndpoint } from "../endpoint.ts";

const roomVersions = Type.Object({
  ver: Type.Optional(Type.Array(Type.String({ maxLength: 255 }), { maxItems: 100 })),
});
/** An event of any room version: what it has to have is checked when the version is known. */
const event = Type.Object({});

/** Server-server API, "Joining Rooms". */
export const makeJoin = serverEndpoint({
  operationId: "makeJoin",
  method: "GET",
  path: "/make_join/{roomId}/{userId}",
  versions: ["v1"],
  query: roomVersions,
});

export const sendJoinV2 = serverEndpoint({
  operationId: "sendJoinV2",
  method: "PUT",
  path: "/send_join/{roomId}/{eventId}",
  versions: ["v2"],
  query: Type.Object({ omit_members: Type.Optional(Type.Boolean()) }),
  body: event,
});

/** As servers ask that do not know the second form: the specification has it no more, other servers still fall back to it. */
export const sendJoinV1 = serverEndpoint({
  operationId: "sendJoinV1",
  method: "PUT",
  path: "/send_join/{roomId}/{eventId}",
  versions: ["v1"],
  body: event,
});

/** Server-server API, "Leaving Rooms (Rejecting Invites)". */
export const makeLeave = serverEndpoint({
  operationId: "makeLeave",
  method: "GET",
  path: "/make_leave/{roomId}/{userId}",
  versions: ["v1"],
});

export const sendLeaveV2 = serverEndpoint({
  operationId: "sendLeaveV2",
  method: "PUT",
  path: "/send_leave/{roomId}/{eventId}",
  versions: ["v2"],
  body: event,
});

/** As {@link sendJoinV1}. */
export const sendLeaveV1 = serverEndpoint({
  operationId: "sendLeaveV1",
  method: "PUT",
  path: "/send_leave/{roomId}/{eventId}",
  versions: ["v1"],
  body: event,
});

/** Server-server API, "Knocking upon a room". */
export const makeKnock = serverEndpoint({
  operationId: "makeKnock",
  method: "GET",
  path: "/make_knock/{roomId}/{userId}",
  versions: ["v1"],
  query: roomVersions,
});

export const sendKnock = serverEndpoint({
  operationId: "sendKnock",
  method: "PUT",
  path: "/send_knock/{roomId}/{eventId}",
  versions: ["v1"],
  body: event,
});

const maxStrippedEvents = 500;

/** Server-server API, "Inviting to a room". */
export const sendInviteV2 = serverEndpoint({
  operationId: "sendInviteV2",
  method: "PUT",
  path: "/invite/{roomId}/{eventId}",
  versions: ["v2"],
  body: Type.Object({
    event,
    room_version: Type.String({ maxLength: 255 }),
    invite_room_state: Type.Optional(Type.Array(Type.Object({}), { maxItems: maxStrippedEvents })),
  }),
});

/** For rooms of versions 1 and 2. */
export const sendInviteV1 = serverEndpoint({
  operationId: "sendInviteV1",
  method: "PUT",
  path: "/invite/{roomId}/{eventId}",
  versions: ["v1"],
  body: event,
});
