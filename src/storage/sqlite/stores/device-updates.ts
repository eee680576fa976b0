import type { CrossSigningKey, DeviceKeys } from "../../device-keys.ts";
import type {
  DeviceListSnapshot,
  DeviceUpdate,
  DeviceUpdates,
  DeviceUpdateStore,
} from "../../device-updates.ts";
import { membershipCodes } from "../../memberships.ts";
import type { Connection } from "../engine/connection.ts";
import { scan, type StoreOperations, type WriteTransaction } from "../engine/operations.ts";

/** In place of a device ID: the user's cross-signing keys. */
const crossSigningRow = "";
/** So many devices that are gone are remembered of each user. Who missed an older one asks for the whole list. */
const maxDeletedDevices = 20;

/** The last change of any of a user's devices. */
function lastPosition(db: Connection, userNid: number): number | null {
  const row = db.get<{ position: number | null }>(
    "SELECT max(position) AS position FROM device_updates WHERE user_nid = ? AND device_id <> ''",
    userNid,
  );
  return row?.position ?? null;
}

function record(
  db: Connection,
  userNid: number,
  deviceId: string,
  position: number,
  previous: number | null,
): void {
  db.run(
    `INSERT INTO device_updates (user_nid, device_id, position, previous) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET position = excluded.position, previous = excluded.previous`,
    userNid,
    deviceId,
    position,
    previous,
  );
}

/** Part of every transaction after which other servers see a device of a local user differently. */
export function recordDeviceUpdate(
  { db }: WriteTransaction,
  userNid: number,
  deviceId: string,
  position: number,
): void {
  record(db, userNid, deviceId, position, lastPosition(db, userNid));
}

/** The same for a user's cross-signing keys. */
export function recordCrossSigningUpdate({ db }: WriteTransaction, userNid: number, position: number): void {
  record(db, userNid, crossSigningRow, position, null);
}

/** Part of the transactions that end a device: of those that are gone the oldest are forgotten. */
export function forgetDeletedDevices({ db }: WriteTransaction, userNid: number): void {
  db.run(
    `DELETE FROM device_updates WHERE user_nid = ?1 AND device_id IN (
       SELECT device_id FROM device_updates AS gone WHERE user_nid = ?1 AND device_id <> ''
         AND NOT EXISTS (SELECT 1 FROM devices WHERE user_nid = ?1 AND device_id = gone.device_id)
       ORDER BY position DESC LIMIT -1 OFFSET ${maxDeletedDevices})`,
    userNid,
  );
}

const { join } = membershipCodes;

/** Whether a user shares a room with server ?1. */
function sharesRoom(userNid: string): string {
  return `EXISTS (SELECT 1 FROM memberships AS shared JOIN room_servers USING (room_nid)
    WHERE shared.user_nid = ${userNid} AND shared.membership = ${join} AND server_name = ?1)`;
}

// What has changed since ?2, and the devices of those who have joined a room of the server's since, unless they have
// shared another with it for longer. Servers of a room that was partial then ask for the lists of those who write. `due`
// is the position at which it had to be told.
const dueQuery = `
SELECT user_nid AS userNid, device_id AS deviceId, position, previous, max(due) AS due FROM (
  SELECT user_nid, device_id, position, previous, position AS due
  FROM device_updates INDEXED BY device_updates_position
  WHERE position > ?2 AND position <= ?3 AND ${sharesRoom("device_updates.user_nid")}
  UNION ALL
  SELECT updates.user_nid, updates.device_id, updates.position, updates.previous, mine.position
  FROM memberships AS mine INDEXED BY memberships_position
    CROSS JOIN room_servers AS theirs ON theirs.room_nid = mine.room_nid AND theirs.server_name = ?1
    CROSS JOIN device_updates AS updates ON updates.user_nid = mine.user_nid
  WHERE mine.position > ?2 AND mine.position <= ?3 AND mine.is_local = 1 AND mine.membership = ${join}
    AND NOT EXISTS (SELECT 1 FROM partial_rooms WHERE partial_rooms.room_nid = mine.room_nid)
    AND NOT EXISTS (SELECT 1 FROM rooms WHERE rooms.room_nid = mine.room_nid AND mine.position < whole_position)
    AND EXISTS (SELECT 1 FROM membership_log AS log WHERE log.user_nid = mine.user_nid
      AND log.room_nid = mine.room_nid AND log.position > ?2)
    AND NOT EXISTS (SELECT 1 FROM memberships AS others JOIN room_servers USING (room_nid)
      WHERE others.user_nid = mine.user_nid AND others.membership = ${join} AND others.position <= ?2
        AND server_name = ?1)
    AND (updates.device_id = '' OR EXISTS (SELECT 1 FROM devices
      WHERE devices.user_nid = updates.user_nid AND devices.device_id = updates.device_id))
) GROUP BY user_nid, device_id ORDER BY max(due), position LIMIT ?4`;

type DueRow = Pick<DeviceUpdate, "userNid" | "position" | "previous"> & {
  readonly deviceId: string;
  readonly due: number;
};

const deviceQuery = `
SELECT devices.display_name AS displayName, signed, signatures
FROM devices LEFT JOIN device_keys USING (user_nid, device_id) WHERE user_nid = ? AND device_id = ?`;
const devicesWithKeysQuery = `
SELECT device_id AS deviceId, devices.display_name AS displayName, signed, signatures
FROM device_keys JOIN devices USING (user_nid, device_id) WHERE user_nid = ? ORDER BY device_id`;
const shownKeysQuery = `
SELECT usage, public_key AS publicKey, signed, signatures FROM cross_signing_keys
WHERE user_nid = ? AND usage IN ('master', 'self_signing')`;

function forServer(
  db: Connection,
  serverName: string,
  after: number,
  upTo: number,
  limit: number,
): DeviceUpdates {
  const rows = db.all<DueRow>(dueQuery, serverName, after, upTo, limit);
  if (rows.length < limit) return { updates: rows.map((row) => updateOf(db, row)), lookedUpTo: null };
  // What was due at the same position as the last may go on beyond the limit: it waits for the next turn, if it is not all.
  const lastDue = rows.at(-1)?.due ?? upTo;
  const complete = rows.filter(({ due }) => due < lastDue);
  const taken = complete.length > 0 ? complete : rows;
  return { updates: taken.map((row) => updateOf(db, row)), lookedUpTo: taken.at(-1)?.due ?? upTo };
}

function updateOf(db: Connection, { due: _due, deviceId, ...row }: DueRow): DeviceUpdate {
  const { userNid } = row;
  const none = { isDeleted: false, displayName: null, keys: null, crossSigning: [] };
  if (deviceId === crossSigningRow) {
    return {
      ...row,
      ...none,
      deviceId: null,
      crossSigning: db.all<CrossSigningKey>(shownKeysQuery, userNid),
    };
  }
  const device = db.get<{ displayName: string | null; signed: string | null; signatures: string | null }>(
    deviceQuery,
    userNid,
    deviceId,
  );
  if (!device) return { ...row, ...none, deviceId, isDeleted: true };
  const { displayName, signed, signatures } = device;
  const keys = signed === null || signatures === null ? null : { signed, signatures };
  return { ...row, ...none, deviceId, displayName, keys };
}

function listOf(db: Connection, userNid: number): DeviceListSnapshot {
  // Before the devices: what changes meanwhile is told with the next update, which says the same again.
  const streamId = lastPosition(db, userNid) ?? 0;
  return {
    streamId,
    devices: db.all<DeviceKeys>(devicesWithKeysQuery, userNid),
    crossSigning: db.all<CrossSigningKey>(shownKeysQuery, userNid),
  };
}

export const deviceUpdateOperations: StoreOperations<DeviceUpdateStore> = {
  forServer: scan(forServer),
  listOf: scan(listOf),
};
