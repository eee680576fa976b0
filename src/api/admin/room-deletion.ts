import { Type } from "../../schema/type.ts";
import { adminEndpoint } from "./admin-endpoint.ts";

const wish = {
  block: Type.Optional(Type.Boolean()),
  purge: Type.Optional(Type.Boolean()),
  force_purge: Type.Optional(Type.Boolean()),
  new_room_user_id: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  room_name: Type.Optional(Type.Union([Type.String({ maxLength: 255 }), Type.Null()])),
  message: Type.Optional(Type.Union([Type.String({ maxLength: 10_000 }), Type.Null()])),
};

/** Is answered once the room is deleted. */
export const deleteRoomAndWait = adminEndpoint({
  operationId: "adminDeleteRoomAndWait",
  method: "DELETE",
  path: "/_synapse/admin/v1/rooms/{roomId}",
  body: Type.Object(wish),
});

/** Is answered at once: how far it is tells its status. */
export const deleteRoom = adminEndpoint({
  operationId: "adminDeleteRoom",
  method: "DELETE",
  path: "/_synapse/admin/v2/rooms/{roomId}",
  body: Type.Object(wish),
});

export const getDeleteStatusOfRoom = adminEndpoint({
  operationId: "adminGetDeleteStatusOfRoom",
  method: "GET",
  path: "/_synapse/admin/v2/rooms/{roomId}/delete_status",
});

export const getDeleteStatus = adminEndpoint({
  operationId: "adminGetDeleteStatus",
  method: "GET",
  path: "/_synapse/admin/v2/rooms/delete_status/{deleteId}",
});

export const getRoomBlock = adminEndpoint({
  operationId: "adminGetRoomBlock",
  method: "GET",
  path: "/_synapse/admin/v1/rooms/{roomId}/block",
});

export const setRoomBlock = adminEndpoint({
  operationId: "adminSetRoomBlock",
  method: "PUT",
  path: "/_synapse/admin/v1/rooms/{roomId}/block",
  body: Type.Object({ block: Type.Boolean() }),
});
