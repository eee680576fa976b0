import {
  deleteRoomKeyBySessionId,
  deleteRoomKeys,
  deleteRoomKeysByRoomId,
  deleteRoomKeysVersion,
  getRoomKeyBySessionId,
  getRoomKeys,
  getRoomKeysByRoomId,
  getRoomKeysVersion,
  getRoomKeysVersionCurrent,
  postRoomKeysVersion,
  putRoomKeyBySessionId,
  putRoomKeys,
  putRoomKeysByRoomId,
  putRoomKeysVersion,
} from "../../api/client/key-backup.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { KeyBackups } from "../../services/key-backups.ts";
import type { KeyBackup, KeyPage } from "../../storage/key-backups.ts";
import { jsonStream } from "../json-stream.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { JsonChunks } from "../reply.ts";
import { roomIdFrom } from "./path-parameters.ts";

type Pages = AsyncGenerator<KeyPage["keys"], void, undefined>;

/** Client-server API, "Server-side key backups". */
export function keyBackupHandlers(backups: KeyBackups): BoundEndpoint[] {
  return [
    ...versionHandlers(backups),
    ...puttingHandlers(backups),
    ...gettingHandlers(backups),
    ...deletingHandlers(backups),
  ];
}

function versionHandlers(backups: KeyBackups): BoundEndpoint[] {
  return [
    handler(postRoomKeysVersion, async ({ requester: { userNid }, body }) => ({
      version: await backups.create(userNid, body.algorithm, body.auth_data),
    })),
    handler(getRoomKeysVersionCurrent, async ({ requester: { userNid } }) =>
      backupJson(await backups.current(userNid)),
    ),
    handler(getRoomKeysVersion, async ({ requester: { userNid }, params }) =>
      backupJson(await backups.find(userNid, params.version)),
    ),
    handler(putRoomKeysVersion, async ({ requester: { userNid }, params: { version }, body }) => {
      if (body.version !== undefined && body.version !== version) {
        throw new MatrixError("M_INVALID_PARAM", "The version in the body is not the one in the path");
      }
      await backups.update(userNid, version, body.algorithm, body.auth_data);
      return {};
    }),
    handler(deleteRoomKeysVersion, async ({ requester: { userNid }, params }) => {
      await backups.delete(userNid, params.version);
      return {};
    }),
  ];
}

function puttingHandlers(backups: KeyBackups): BoundEndpoint[] {
  return [
    handler(putRoomKeys, ({ requester: { userNid }, query, body }) =>
      backups.putKeys(userNid, query.version, body.rooms),
    ),
    handler(putRoomKeysByRoomId, ({ requester: { userNid }, params, query, body }) =>
      backups.putKeys(userNid, query.version, { [roomIdFrom(params.roomId)]: body }),
    ),
    handler(putRoomKeyBySessionId, ({ requester: { userNid }, params, query, body }) =>
      backups.putKeys(userNid, query.version, {
        [roomIdFrom(params.roomId)]: { sessions: { [params.sessionId]: body } },
      }),
    ),
  ];
}

function gettingHandlers(backups: KeyBackups): BoundEndpoint[] {
  return [
    handler(getRoomKeys, ({ requester: { userNid }, query }) =>
      jsonStream(roomsJson(backups.listKeys(userNid, query.version, null))),
    ),
    handler(getRoomKeysByRoomId, ({ requester: { userNid }, params, query }) =>
      jsonStream(sessionsJson(backups.listKeys(userNid, query.version, roomIdFrom(params.roomId)))),
    ),
    handler(getRoomKeyBySessionId, async ({ requester: { userNid }, params, query }) => {
      const roomId = roomIdFrom(params.roomId);
      return new JsonChunks([await backups.findKey(userNid, query.version, roomId, params.sessionId)]);
    }),
  ];
}

function deletingHandlers(backups: KeyBackups): BoundEndpoint[] {
  return [
    handler(deleteRoomKeys, ({ requester: { userNid }, query }) =>
      backups.deleteKeys(userNid, query.version, { roomId: null, sessionId: null }),
    ),
    handler(deleteRoomKeysByRoomId, ({ requester: { userNid }, params, query }) =>
      backups.deleteKeys(userNid, query.version, { roomId: roomIdFrom(params.roomId), sessionId: null }),
    ),
    handler(deleteRoomKeyBySessionId, ({ requester: { userNid }, params: { roomId, sessionId }, query }) =>
      backups.deleteKeys(userNid, query.version, { roomId: roomIdFrom(roomId), sessionId }),
    ),
  ];
}

function backupJson({ version, algorithm, authData, etag, count }: KeyBackup): JsonChunks {
  const fields = JSON.stringify({ version: String(version), algorithm, etag: String(etag), count });
  return new JsonChunks([`${fields.slice(0, -1)},"auth_data":${authData}}`]);
}

/** `{"rooms":{...}}`, piece by piece: keys come by room. */
async function* roomsJson(pages: Pages): AsyncGenerator<string, void, undefined> {
  let room: string | undefined;
  yield '{"rooms":{';
  for await (const keys of pages) {
    let piece = "";
    for (const { roomId, sessionId, data } of keys) {
      if (roomId === room) piece += ",";
      else piece += `${room === undefined ? "" : "}},"}${JSON.stringify(roomId)}:{"sessions":{`;
      piece += `${JSON.stringify(sessionId)}:${data}`;
      room = roomId;
    }
    yield piece;
  }
  yield room === undefined ? "}}" : "}}}}";
}

/** `{"sessions":{...}}`, piece by piece. */
async function* sessionsJson(pages: Pages): AsyncGenerator<string, void, undefined> {
  let separator = "";
  yield '{"sessions":{';
  for await (const keys of pages) {
    let piece = "";
    for (const { sessionId, data } of keys) {
      piece += `${separator}${JSON.stringify(sessionId)}:${data}`;
      separator = ",";
    }
    yield piece;
  }
  yield "}}";
}
