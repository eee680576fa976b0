import type { CrossSigningKey, DeviceKeys } from "../../device-keys.ts";
import { membershipCodes } from "../../memberships.ts";
import type {
  RemoteDeviceListStore,
  RemoteListState,
  ToldDeviceList,
  ToldDeviceUpdate,
  ToldOutcome,
} from "../../remote-device-lists.ts";
import type { Connection } from "../engine/connection.ts";
import { point, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";
import { changeCrossSigningKeys, deleteRemoteCrossSigningKeys } from "./cross-signing.ts";
import { recordDeviceListChange } from "./device-lists.ts";

interface ListRow {
  readonly streamId: number | null;
  readonly isStale: number;
  readonly generation: number;
}

/** Of a list of which a change was told that could not be applied. */
const toldStale = 2;
/** Of how many users of a server it is remembered that their devices have changed, who may be in partial rooms. */
const maxEarlyChanges = 1_000;

/** Nobody has more devices; who sends such a list wants to make others encrypt for all of them. */
const maxDevices = 1_000;

const { join } = membershipCodes;
/** ?1 is a remote user. */
const sharesRoomQuery = `
SELECT 1 FROM memberships AS theirs CROSS JOIN memberships AS ours INDEXED BY memberships_local
  ON ours.room_nid = theirs.room_nid AND ours.membership = ${join} AND ours.is_local = 1
WHERE theirs.user_nid = ?1 AND theirs.membership = ${join} LIMIT 1`;

function sharesRoom(db: Connection, userNid: number): boolean {
  return db.get(sharesRoomQuery, userNid) !== undefined;
}

function find(db: Connection, userNid: number): ListRow | undefined {
  return db.get<ListRow>(
    "SELECT stream_id AS streamId, is_stale AS isStale, generation FROM remote_device_lists WHERE user_nid = ?",
    userNid,
  );
}

function stateOf(db: Connection, userNid: number): RemoteListState {
  const row = find(db, userNid);
  return {
    userNid,
    isCurrent: row?.isStale === 0,
    isStored: row !== undefined && row.streamId !== null,
    sharesRoom: row !== undefined || sharesRoom(db, userNid),
    generation: row?.generation ?? 0,
  };
}

function replace(
  tx: WriteTransaction,
  userNid: number,
  serverName: string,
  generation: number,
  { streamId, devices, crossSigning }: ToldDeviceList,
): ToldOutcome {
  const { db } = tx;
  const row = find(db, userNid);
  if (!row && !sharesRoom(db, userNid)) return "unshared";
  const kept = devices.length > maxDevices ? [] : devices;
  const keptIds = new Set(kept.map(({ deviceId }) => deviceId));
  let changed = false;
  for (const { deviceId } of storedDevices(db, userNid)) {
    if (!keptIds.has(deviceId)) changed = deleteDevice(db, userNid, deviceId) || changed;
  }
  for (const device of kept) changed = setDevice(db, userNid, device) || changed;
  changed = changeCrossSigningKeys(db, userNid, crossSigning, true) || changed;
  const isStale = (row?.generation ?? 0) !== generation;
  db.run(
    `INSERT INTO remote_device_lists (user_nid, server_name, stream_id, is_stale, generation) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET stream_id = excluded.stream_id, is_stale = excluded.is_stale`,
    userNid,
    serverName,
    streamId,
    isStale ? toldStale : 0,
    row?.generation ?? generation,
  );
  // Who asks for a list that nobody has told of gets it in the answer.
  // A change that was told is news, whatever it was: who has looked meanwhile may have seen something else.
  if (row && (changed || row.isStale === toldStale)) recordDeviceListChange(tx, userNid);
  else tx.position("deviceUpdates", userNid);
  return isStale ? "stale" : "current";
}

function update(
  tx: WriteTransaction,
  userNid: number,
  serverName: string,
  { deviceId, streamId, prevIds, keys, displayName }: ToldDeviceUpdate,
): ToldOutcome {
  const { db } = tx;
  const row = find(db, userNid);
  const follows =
    row?.isStale === 0 &&
    streamId !== null &&
    (streamId === row.streamId || (prevIds.length > 0 && prevIds.every((id) => id === row.streamId)));
  if (!follows) return becomeStale(tx, userNid, serverName, row);
  const changed = keys
    ? setDevice(db, userNid, { deviceId, displayName, ...keys })
    : deleteDevice(db, userNid, deviceId);
  db.run("UPDATE remote_device_lists SET stream_id = ? WHERE user_nid = ?", streamId, userNid);
  if (changed) recordDeviceListChange(tx, userNid);
  return "current";
}

function updateCrossSigning(
  tx: WriteTransaction,
  userNid: number,
  serverName: string,
  keys: readonly CrossSigningKey[] | null,
): ToldOutcome {
  const row = find(tx.db, userNid);
  if (row?.isStale !== 0 || !keys) return becomeStale(tx, userNid, serverName, row);
  if (changeCrossSigningKeys(tx.db, userNid, keys, false)) recordDeviceListChange(tx, userNid);
  return "current";
}

function becomeStale(
  tx: WriteTransaction,
  userNid: number,
  serverName: string,
  row: ListRow | undefined,
): ToldOutcome {
  if (!row && !sharesRoom(tx.db, userNid)) return "unshared";
  tx.db.run(
    `INSERT INTO remote_device_lists (user_nid, server_name, stream_id, is_stale, generation)
     VALUES (?, ?, NULL, ${toldStale}, 1)
     ON CONFLICT DO UPDATE SET is_stale = ${toldStale}, generation = generation + 1`,
    userNid,
    serverName,
  );
  // For those who keep keys in memory; clients are told once the list is there.
  tx.position("deviceUpdates", userNid);
  return "stale";
}

function follow({ db }: WriteTransaction, userNids: readonly number[], serverName: string): void {
  for (const userNid of userNids) {
    if (!sharesRoom(db, userNid)) continue;
    db.run(
      `INSERT INTO remote_device_lists (user_nid, server_name, stream_id, is_stale, generation)
       VALUES (?, ?, NULL, 1, 1) ON CONFLICT DO NOTHING`,
      userNid,
      serverName,
    );
  }
}

function storedDevices(db: Connection, userNid: number): Pick<DeviceKeys, "deviceId">[] {
  return db.all("SELECT device_id AS deviceId FROM device_keys WHERE user_nid = ?", userNid);
}

/** Returns whether anything is different afterwards. */
function setDevice(
  db: Connection,
  userNid: number,
  { deviceId, displayName, signed, signatures }: DeviceKeys,
): boolean {
  const changed = db.run(
    `INSERT INTO device_keys (user_nid, device_id, signed, signatures, display_name) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET signed = excluded.signed, signatures = excluded.signatures,
       display_name = excluded.display_name
     WHERE signed <> excluded.signed OR signatures <> excluded.signatures
       OR display_name IS NOT excluded.display_name`,
    userNid,
    deviceId,
    signed,
    signatures,
    displayName,
  );
  return changed > 0;
}

function deleteDevice(db: Connection, userNid: number, deviceId: string): boolean {
  return db.run("DELETE FROM device_keys WHERE user_nid = ? AND device_id = ?", userNid, deviceId) > 0;
}

function forget(tx: WriteTransaction, userNid: number): void {
  const { db } = tx;
  if (db.run("DELETE FROM remote_device_lists WHERE user_nid = ?", userNid) === 0) return;
  db.run("DELETE FROM device_keys WHERE user_nid = ?", userNid);
  deleteRemoteCrossSigningKeys(db, userNid);
  tx.position("deviceUpdates", userNid);
}

/** Part of the commits in which a remote user leaves a room. */
export function forgetUnsharedList(tx: WriteTransaction, userNid: number): void {
  if (find(tx.db, userNid) && !sharesRoom(tx.db, userNid)) forget(tx, userNid);
}

/** Part of the commits in which a local user leaves a room: perhaps nobody of this server is in it any more. */
export function forgetUnsharedLists(tx: WriteTransaction, roomNid: number): void {
  const isShared = tx.db.get(
    `SELECT 1 FROM memberships WHERE room_nid = ? AND membership = ${join} AND is_local = 1 LIMIT 1`,
    roomNid,
  );
  if (isShared) return;
  const users = tx.db.all<{ nid: number }>(
    `SELECT user_nid AS nid FROM memberships JOIN remote_device_lists USING (user_nid)
     WHERE room_nid = ? AND membership = ${join}`,
    roomNid,
  );
  for (const { nid } of users) if (!sharesRoom(tx.db, nid)) forget(tx, nid);
}

const noteEarlySql = `INSERT INTO early_device_changes (server_name, user_id) SELECT ?1, ?2
  WHERE EXISTS (SELECT 1 FROM partial_rooms JOIN room_servers USING (room_nid) WHERE server_name = ?1)
    AND (SELECT count(*) FROM early_device_changes WHERE server_name = ?1) < ${maxEarlyChanges}
  ON CONFLICT DO NOTHING`;

const earlyInRoomSql = `SELECT user_nid AS nid, server_name AS server
  FROM early_device_changes CROSS JOIN users USING (user_id) CROSS JOIN memberships USING (user_nid)
  WHERE room_nid = ? AND membership = ${join}`;

/** Part of the transactions after which a room is partial no more: changes of its members' devices are news now. */
export function takeEarlyDeviceChanges(tx: WriteTransaction, roomNid: number): void {
  const { db } = tx;
  for (const { nid, server } of db.all<{ nid: number; server: string }>(earlyInRoomSql, roomNid)) {
    if (!find(db, nid)) becomeStale(tx, nid, server, undefined);
    recordDeviceListChange(tx, nid);
  }
  db.run(`DELETE FROM early_device_changes WHERE NOT EXISTS (
    SELECT 1 FROM partial_rooms JOIN room_servers USING (room_nid)
    WHERE room_servers.server_name = early_device_changes.server_name)`);
}

export const remoteDeviceListOperations: StoreOperations<RemoteDeviceListStore> = {
  states: point((db, userNids: readonly number[]) => userNids.map((userNid) => stateOf(db, userNid))),
  currentDevice: point((db, userNid: number, deviceId: string) =>
    db.get<{ signed: string | null }>(
      `SELECT device_keys.signed FROM remote_device_lists
       LEFT JOIN device_keys ON device_keys.user_nid = remote_device_lists.user_nid AND device_keys.device_id = ?2
       WHERE remote_device_lists.user_nid = ?1 AND is_stale = 0`,
      userNid,
      deviceId,
    ),
  ),
  replace: write(replace),
  update: write(update),
  updateCrossSigning: write(updateCrossSigning),
  follow: write(follow),
  forget: write(forget),
  noteEarly: write(({ db }, userId: string, serverName: string) => {
    db.run(noteEarlySql, serverName, userId);
  }),
  staleUsers: point((db, serverName: string, limit: number) =>
    db
      .all<{ nid: number }>(
        `SELECT user_nid AS nid FROM remote_device_lists INDEXED BY remote_device_lists_stale
         WHERE server_name = ? AND is_stale <> 0 LIMIT ?`,
        serverName,
        limit,
      )
      .map(({ nid }) => nid),
  ),
  // Asked at each start: a reading worker would be started for it.
  serversWithStale: point((db) =>
    db
      .all<{ name: string }>(
        `SELECT DISTINCT server_name AS name FROM remote_device_lists INDEXED BY remote_device_lists_stale
         WHERE is_stale <> 0`,
      )
      .map(({ name }) => name),
  ),
};
