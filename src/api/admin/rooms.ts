import { Type } from "../../schema/type.ts";
import { contextQuery, messagesQuery } from "../client/reading.ts";
import { adminEndpoint } from "./admin-endpoint.ts";

const room = "/_synapse/admin/v1/rooms/{roomId}";
/** These take an alias as well. */
const roomOrAlias = "/_synapse/admin/v1/rooms/{roomIdOrAlias}";

export const listRooms = adminEndpoint({
  operationId: "adminListRooms",
  method: "GET",
  path: "/_synapse/admin/v1/rooms",
  query: Type.Object({
    from: Type.Optional(Type.Integer({ minimum: 0 })),
    limit: Type.Optional(Type.Integer({ minimum: 1 })),
    order_by: Type.Optional(
      Type.Enum([
        "alphabetical",
        "size",
        "name",
        "canonical_alias",
        "joined_members",
        "joined_local_members",
        "version",
        "creator",
        "encryption",
        "federatable",
        "public",
        "join_rules",
        "guest_access",
        "history_visibility",
        "state_events",
      ]),
    ),
    dir: Type.Optional(Type.Enum(["f", "b"])),
    search_term: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    public_rooms: Type.Optional(Type.Boolean()),
    empty_rooms: Type.Optional(Type.Boolean()),
  }),
});

export const getRoom = adminEndpoint({ operationId: "adminGetRoom", method: "GET", path: room });

export const getRoomMembers = adminEndpoint({
  operationId: "adminGetRoomMembers",
  method: "GET",
  path: `${room}/members`,
});

export const getRoomState = adminEndpoint({
  operationId: "adminGetRoomState",
  method: "GET",
  path: `${room}/state`,
  query: Type.Object({ type: Type.Optional(Type.String({ maxLength: 255 })) }),
});

export const getRoomMessages = adminEndpoint({
  operationId: "adminGetRoomMessages",
  method: "GET",
  path: `${room}/messages`,
  query: messagesQuery,
});

export const getRoomEventContext = adminEndpoint({
  operationId: "adminGetRoomEventContext",
  method: "GET",
  path: `${room}/context/{eventId}`,
  query: contextQuery,
});

export const getRoomEventByTimestamp = adminEndpoint({
  operationId: "adminGetRoomEventByTimestamp",
  method: "GET",
  path: `${room}/timestamp_to_event`,
  query: Type.Object({ ts: Type.Integer(), dir: Type.Optional(Type.Enum(["f", "b"])) }),
});

export const getRoomHierarchy = adminEndpoint({
  operationId: "adminGetRoomHierarchy",
  method: "GET",
  path: `${room}/hierarchy`,
  query: Type.Object({
    limit: Type.Optional(Type.Integer()),
    max_depth: Type.Optional(Type.Integer()),
    from: Type.Optional(Type.String()),
  }),
});

/** An event as servers send it to each other. */
export const fetchEvent = adminEndpoint({
  operationId: "adminFetchEvent",
  method: "GET",
  path: "/_synapse/admin/v1/fetch_event/{eventId}",
});

export const getForwardExtremities = adminEndpoint({
  operationId: "adminGetForwardExtremities",
  method: "GET",
  path: `${roomOrAlias}/forward_extremities`,
});

export const deleteForwardExtremities = adminEndpoint({
  operationId: "adminDeleteForwardExtremities",
  method: "DELETE",
  path: `${roomOrAlias}/forward_extremities`,
});

export const joinRoom = adminEndpoint({
  operationId: "adminJoinRoom",
  method: "POST",
  path: "/_synapse/admin/v1/join/{roomIdOrAlias}",
  query: Type.Object({ server_name: Type.Optional(Type.Array(Type.String(), { maxItems: 50 })) }),
  body: Type.Object({ user_id: Type.String() }),
});

export const makeRoomAdmin = adminEndpoint({
  operationId: "adminMakeRoomAdmin",
  method: "POST",
  path: `${roomOrAlias}/make_room_admin`,
  body: Type.Object({ user_id: Type.Optional(Type.String()) }),
});
