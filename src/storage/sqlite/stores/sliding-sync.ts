import { membershipOfCode } from "../../memberships.ts";
import type {
  ConnectionKey,
  NewConnectionVersion,
  RoomFacts,
  SlidingSyncStore,
  UserRoomRow,
} from "../../sliding-sync.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";

interface StoredFacts {
  readonly name: string | null;
  readonly roomType: string | null;
  readonly encryption: string | null;
}

interface StoredRoom extends StoredFacts {
  readonly roomNid: number;
  readonly roomId: string;
  readonly code: number;
  readonly eventNid: number;
  readonly position: number;
  readonly senderNid: number;
  readonly lastPosition: number;
}

const roomsSql = `SELECT memberships.room_nid AS roomNid, room_id AS roomId, membership AS code,
    memberships.event_nid AS eventNid, memberships.position AS position, sender_nid AS senderNid,
    last_position AS lastPosition, name, room_type AS roomType, encryption
  FROM memberships
    JOIN rooms USING (room_nid)
    JOIN events ON events.event_nid = memberships.event_nid
    LEFT JOIN room_summaries ON room_summaries.room_nid = memberships.room_nid
  WHERE user_nid = ? AND forgotten = 0`;
const childrenSql = `SELECT child_id AS id FROM space_children JOIN rooms USING (room_nid) WHERE room_id = ?`;
const typesSql = `SELECT position, type_nid AS typeNid FROM events
  WHERE room_nid = ? AND position > ? AND position <= ? ORDER BY position DESC LIMIT ?`;
/** More than one write adds, so that old connections never pile up. */
const forgottenAtOnce = 4;

function toRoom({ code, name, roomType, encryption, ...row }: StoredRoom): UserRoomRow {
  return {
    ...row,
    membership: membershipOfCode(code),
    facts: toFacts({ name, roomType, encryption }),
  };
}

function toFacts({ name, roomType, encryption }: StoredFacts): RoomFacts {
  return { name, roomType, isEncrypted: encryption !== null };
}

function newestOfTypes(
  db: Connection,
  roomNid: number,
  typeNids: readonly number[],
  after: number,
  upTo: number,
  maxLooked: number,
): number | undefined {
  // Almost always one of the first few: the others are not read.
  for (const { position, typeNid } of db.iterate<{ position: number; typeNid: number }>(
    typesSql,
    roomNid,
    after,
    upTo,
    maxLooked,
  )) {
    if (typeNids.includes(typeNid)) return position;
  }
  return undefined;
}

function putConnection(
  { db }: WriteTransaction,
  { userNid, deviceId, connectionId }: ConnectionKey,
  connection: NewConnectionVersion,
): void {
  db.run(
    `DELETE FROM sliding_sync_connections WHERE stored_ts < ?1 AND (user_nid, device_id, connection_id, version) IN
       (SELECT user_nid, device_id, connection_id, version FROM sliding_sync_connections
        WHERE stored_ts < ?1 ORDER BY stored_ts LIMIT ${forgottenAtOnce})`,
    connection.forgetBeforeTs,
  );
  db.run(
    `DELETE FROM sliding_sync_connections
     WHERE user_nid = ? AND device_id = ? AND connection_id = ? AND version IS NOT ?`,
    userNid,
    deviceId,
    connectionId,
    connection.baseVersion,
  );
  // A device that has ended meanwhile must not leave anything behind.
  db.run(
    `INSERT INTO sliding_sync_connections (user_nid, device_id, connection_id, version, state, stored_ts)
     SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE EXISTS (SELECT 1 FROM devices WHERE user_nid = ?1 AND device_id = ?2)`,
    userNid,
    deviceId,
    connectionId,
    connection.version,
    connection.state,
    connection.storedTs,
  );
  db.run(
    `DELETE FROM sliding_sync_connections WHERE user_nid = ?1 AND device_id = ?2 AND connection_id IN
       (SELECT connection_id FROM sliding_sync_connections
        WHERE user_nid = ?1 AND device_id = ?2 AND connection_id <> ?3
        GROUP BY connection_id ORDER BY max(stored_ts) DESC, connection_id LIMIT -1 OFFSET ?4)`,
    userNid,
    deviceId,
    connectionId,
    connection.maxConnections - 1,
  );
}

/** Removes a device's connections: part of every transaction that ends one. */
export function deleteSlidingSyncConnections(
  { db }: WriteTransaction,
  userNid: number,
  deviceId: string,
): void {
  db.run("DELETE FROM sliding_sync_connections WHERE user_nid = ? AND device_id = ?", userNid, deviceId);
}

export const slidingSyncOperations: StoreOperations<SlidingSyncStore> = {
  roomsOf: scan((db, userNid: number) => db.all<StoredRoom>(roomsSql, userNid).map(toRoom)),
  facts: point((db, roomNid: number) =>
    toFacts(
      db.get<StoredFacts>(
        "SELECT name, room_type AS roomType, encryption FROM room_summaries WHERE room_nid = ?",
        roomNid,
      ) ?? { name: null, roomType: null, encryption: null },
    ),
  ),
  spaceChildren: scan((db, roomId: string) =>
    db.all<{ id: string }>(childrenSql, roomId).map(({ id }) => id),
  ),
  newestOfTypes: point(newestOfTypes),
  connection: point(
    (db, { userNid, deviceId, connectionId }: ConnectionKey, version: string) =>
      db.get<{ state: string }>(
        `SELECT state FROM sliding_sync_connections
         WHERE user_nid = ? AND device_id = ? AND connection_id = ? AND version = ?`,
        userNid,
        deviceId,
        connectionId,
        version,
      )?.state,
  ),
  putConnection: write(putConnection),
};
