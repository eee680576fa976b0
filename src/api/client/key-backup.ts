import { Type } from "../../schema/type.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { endpoint } from "../endpoint.ts";

/** Clients from before the endpoints were stable call them under "unstable". */
const versions = ["v3", "r0", "unstable"];
/** Some thousands of keys; clients send a few hundred at once. */
const maxKeysBodyBytes = 4 * 1024 * 1024;
const query = Type.Object({ version: Type.String() });
const authData = Type.Unsafe<JsonObject>(Type.Object({}));

export interface KeyBackupDataJson extends JsonObject {
  readonly first_message_index: number;
  readonly forwarded_count: number;
  readonly is_verified: boolean;
}

const keyBackupData = Type.Unsafe<KeyBackupDataJson>(
  Type.Object({
    first_message_index: Type.Integer({ minimum: 0 }),
    forwarded_count: Type.Integer({ minimum: 0 }),
    is_verified: Type.Boolean(),
    session_data: Type.Object({}),
  }),
);
const roomKeyBackup = Type.Object({ sessions: Type.Record(Type.String(), keyBackupData) });

export const postRoomKeysVersion = endpoint({
  operationId: "postRoomKeysVersion",
  method: "POST",
  path: "/room_keys/version",
  versions,
  access: "user",
  rateLimit: "default",
  body: Type.Object({ algorithm: Type.String({ maxLength: 255 }), auth_data: authData }),
});

export const getRoomKeysVersionCurrent = endpoint({
  operationId: "getRoomKeysVersionCurrent",
  method: "GET",
  path: "/room_keys/version",
  versions,
  access: "user",
  rateLimit: "default",
});

export const getRoomKeysVersion = endpoint({
  operationId: "getRoomKeysVersion",
  method: "GET",
  path: "/room_keys/version/{version}",
  versions,
  access: "user",
  rateLimit: "default",
});

export const putRoomKeysVersion = endpoint({
  operationId: "putRoomKeysVersion",
  method: "PUT",
  path: "/room_keys/version/{version}",
  versions,
  access: "user",
  rateLimit: "default",
  body: Type.Object({
    algorithm: Type.String({ maxLength: 255 }),
    auth_data: authData,
    version: Type.Optional(Type.String()),
  }),
});

export const deleteRoomKeysVersion = endpoint({
  operationId: "deleteRoomKeysVersion",
  method: "DELETE",
  path: "/room_keys/version/{version}",
  versions,
  access: "user",
  rateLimit: "default",
});

export const putRoomKeys = endpoint({
  operationId: "putRoomKeys",
  method: "PUT",
  path: "/room_keys/keys",
  versions,
  access: "user",
  rateLimit: "default",
  maxBodyBytes: maxKeysBodyBytes,
  query,
  body: Type.Object({ rooms: Type.Record(Type.String(), roomKeyBackup) }),
});

export const putRoomKeysByRoomId = endpoint({
  operationId: "putRoomKeysByRoomId",
  method: "PUT",
  path: "/room_keys/keys/{roomId}",
  versions,
  access: "user",
  rateLimit: "default",
  maxBodyBytes: maxKeysBodyBytes,
  query,
  body: roomKeyBackup,
});

export const putRoomKeyBySessionId = endpoint({
  operationId: "putRoomKeyBySessionId",
  method: "PUT",
  path: "/room_keys/keys/{roomId}/{sessionId}",
  versions,
  access: "user",
  rateLimit: "default",
  query,
  body: keyBackupData,
});

export const getRoomKeys = endpoint({
  operationId: "getRoomKeys",
  method: "GET",
  path: "/room_keys/keys",
  versions,
  access: "user",
  rateLimit: "default",
  query,
});

export const getRoomKeysByRoomId = endpoint({
  operationId: "getRoomKeysByRoomId",
  method: "GET",
  path: "/room_keys/keys/{roomId}",
  versions,
  access: "user",
  rateLimit: "default",
  query,
});

export const getRoomKeyBySessionId = endpoint({
  operationId: "getRoomKeyBySessionId",
  method: "GET",
  path: "/room_keys/keys/{roomId}/{sessionId}",
  versions,
  access: "user",
  rateLimit: "default",
  query,
});

export const deleteRoomKeys = endpoint({
  operationId: "deleteRoomKeys",
  method: "DELETE",
  path: "/room_keys/keys",
  versions,
  access: "user",
  rateLimit: "default",
  query,
});

export const deleteRoomKeysByRoomId = endpoint({
  operationId: "deleteRoomKeysByRoomId",
  method: "DELETE",
  path: "/room_keys/keys/{roomId}",
  versions,
  access: "user",
  rateLimit: "default",
  query,
});

export const deleteRoomKeyBySessionId = endpoint({
  operationId: "deleteRoomKeyBySessionId",
  method: "DELETE",
  path: "/room_keys/keys/{roomId}/{sessionId}",
  versions,
  access: "user",
  rateLimit: "default",
  query,
});
