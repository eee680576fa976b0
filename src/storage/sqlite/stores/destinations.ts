import type {
  DestinationRow,
  DestinationStore,
  OutgoingToDevice,
  SettledDestinations,
  UnsentRooms,
} from "../../destinations.ts";
import { eventFlags } from "../../events.ts";
import { membershipCodes } from "../../memberships.ts";
import type { InboxBound, RemoteToDevice } from "../../to-device.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";

const columns = `server_name AS serverName, sent_up_to AS sentUpTo, device_lists_up_to AS deviceListsUpTo,
  failing_since_ts AS failingSinceTs,
  retry_ts AS retryTs, retry_interval_ms AS retryIntervalMs`;
const saveSql = `INSERT INTO destinations
    (server_name, sent_up_to, device_lists_up_to, failing_since_ts, retry_ts, retry_interval_ms)
  VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET sent_up_to = excluded.sent_up_to, device_lists_up_to = excluded.device_lists_up_to,
    failing_since_ts = excluded.failing_since_ts,
    retry_ts = excluded.retry_ts, retry_interval_ms = excluded.retry_interval_ms`;
// Who comes into a room has devices that its servers are told of.
const newestToTellSql = `SELECT coalesce((SELECT max(last_position) FROM rooms), 0) AS event,
  max(coalesce((SELECT max(position) FROM device_updates), 0), coalesce((SELECT max(position) FROM memberships), 0)) AS deviceLists`;
const settleSql = `UPDATE destinations
  SET sent_up_to = max(sent_up_to, ?1), device_lists_up_to = max(device_lists_up_to, ?2)
  WHERE (sent_up_to < ?1 OR device_lists_up_to < ?2) AND server_name NOT IN (SELECT value FROM json_each(?3))`;
const forgetSql = `DELETE FROM destinations WHERE server_name NOT IN (SELECT value FROM json_each(?))
  AND NOT EXISTS (SELECT 1 FROM room_servers WHERE room_servers.server_name = destinations.server_name)
  AND NOT EXISTS (SELECT 1 FROM outgoing_to_device AS waiting WHERE waiting.server_name = destinations.server_name)
  AND NOT EXISTS (SELECT 1 FROM farewells WHERE farewells.server_name = destinations.server_name)`;
const serversOfSql = `SELECT DISTINCT server_name AS name FROM memberships JOIN room_servers USING (room_nid)
  WHERE user_nid = ? AND membership = ${membershipCodes.join}`;
const roomsOfServerSql = `SELECT room_nid AS roomNid, last_position AS lastPosition FROM room_servers JOIN rooms USING (room_nid)
  WHERE server_name = ? AND last_position > ? ORDER BY last_position LIMIT ?`;
const serversSinceSql = `SELECT DISTINCT substr(user_id, instr(user_id, ':') + 1) AS name
  FROM memberships JOIN users USING (user_nid)
  WHERE room_nid = ?1 AND memberships.is_local = 0
    AND (membership = ${membershipCodes.join}
      OR (membership IN (${membershipCodes.leave}, ${membershipCodes.ban}) AND position > ?2))`;
// What users of this server have sent, and what it has to pass on: the newest of it.
const newestSentSql = `SELECT event_nid AS eventNid, position FROM events JOIN users ON user_nid = sender_nid
  WHERE room_nid = ? AND position > ?
    AND ((is_local = 1 AND (flags & ${eventFlags.handedOver}) = 0) OR (flags & ${eventFlags.relayed}) <> 0)
  ORDER BY position DESC LIMIT 1`;

/** Of a row of `users`. */
const serverOfUserSql = "substr(user_id, instr(user_id, ':') + 1)";
const goneServerSql = `SELECT ${serverOfUserSql} AS name FROM users WHERE user_nid = ?2
  AND NOT EXISTS (SELECT 1 FROM room_servers WHERE room_nid = ?1 AND server_name = ${serverOfUserSql})`;
const farewellSql = `INSERT INTO farewells (event_nid, server_name)
  SELECT event_nid, ?1 FROM events JOIN users ON user_nid = sender_nid WHERE event_nid = ?2 AND is_local = 1
  ON CONFLICT DO NOTHING`;
const earlierFarewellsSql = `INSERT INTO farewells (event_nid, server_name)
  SELECT event_nid, ?1 FROM memberships JOIN users USING (user_nid)
  WHERE room_nid = ?2 AND memberships.is_local = 0 AND membership IN (${membershipCodes.leave}, ${membershipCodes.ban})
    AND position > (SELECT sent_up_to FROM destinations WHERE server_name = ?1) AND ${serverOfUserSql} = ?1
    AND (SELECT sender.is_local FROM events JOIN users AS sender ON sender.user_nid = sender_nid
      WHERE events.event_nid = memberships.event_nid)
  ON CONFLICT DO NOTHING`;
/** More than this for one server, and it does without the oldest. */
const maxFarewells = 500;
const boundFarewellsSql = `DELETE FROM farewells WHERE server_name = ?1 AND event_nid <=
  (SELECT event_nid FROM farewells WHERE server_name = ?1 ORDER BY event_nid DESC LIMIT 1 OFFSET ${maxFarewells})`;

export const destinationOperations: StoreOperations<DestinationStore> = {
  findAll: point((db, serverNames: readonly string[]) =>
    db.all<DestinationRow>(
      `SELECT ${columns} FROM destinations WHERE server_name IN (SELECT value FROM json_each(?))`,
      JSON.stringify(serverNames),
    ),
  ),
  // Asked at each start: a reading worker would be started for it.
  all: point((db) => db.all<DestinationRow>(`SELECT ${columns} FROM destinations`)),
  // Asked at each start, too.
  newestToTell: point((db) => db.get(newestToTellSql) ?? { event: 0, deviceLists: 0 }),
  save: write(({ db }, rows: readonly DestinationRow[]) => {
    for (const row of rows) {
      const { serverName, sentUpTo, deviceListsUpTo, failingSinceTs, retryTs, retryIntervalMs } = row;
      db.run(saveSql, serverName, sentUpTo, deviceListsUpTo, failingSinceTs, retryTs, retryIntervalMs);
    }
  }),
  settle: write(settle),
  serversInRoom: point((db, roomNid: number) =>
    names(
      db.all<{ name: string }>("SELECT server_name AS name FROM room_servers WHERE room_nid = ?", roomNid),
    ),
  ),
  serversInRoomSince: scan((db, roomNid: number, position: number) =>
    names(db.all<{ name: string }>(serversSinceSql, roomNid, position)),
  ),
  usersInRoom: point(
    (db, roomNid: number, serverName: string) =>
      db.get<{ joined: number }>(
        "SELECT joined FROM room_servers WHERE room_nid = ? AND server_name = ?",
        roomNid,
        serverName,
      )?.joined ?? 0,
  ),
  serversOf: scan((db, userNid: number) => names(db.all<{ name: string }>(serversOfSql, userNid))),
  serversOfEach: scan((db, userNids: readonly number[]) =>
    userNids.map((userNid) => names(db.all<{ name: string }>(serversOfSql, userNid))),
  ),
  unsentRooms: scan(readUnsentRooms),
  toDevice: point((db, serverName: string, limit: number) =>
    db.all<OutgoingToDevice>(
      `SELECT message_nid AS messageNid, content FROM outgoing_to_device
       WHERE server_name = ? ORDER BY message_nid LIMIT ?`,
      serverName,
      limit,
    ),
  ),
  removeToDevice: write(removeToDevice),
  // Asked at each start: a reading worker would be started for it.
  withToDevice: point((db) =>
    names(db.all<{ name: string }>("SELECT DISTINCT server_name AS name FROM outgoing_to_device")),
  ),
  farewells: point((db, serverName: string, limit: number) =>
    db
      .all<{ eventNid: number }>(
        "SELECT event_nid AS eventNid FROM farewells WHERE server_name = ? ORDER BY event_nid LIMIT ?",
        serverName,
        limit,
      )
      .map(({ eventNid }) => eventNid),
  ),
  removeFarewells: write(({ db }, eventNids: readonly number[]) => {
    db.run(
      "DELETE FROM farewells WHERE event_nid IN (SELECT value FROM json_each(?))",
      JSON.stringify(eventNids),
    );
  }),
  // Asked at each start, too.
  withFarewells: point((db) =>
    names(db.all<{ name: string }>("SELECT DISTINCT server_name AS name FROM farewells")),
  ),
};

const countOutgoingSql = `INSERT INTO outgoing_to_device_sizes (server_name, waiting, waiting_bytes)
    SELECT ?1, 1, ?2 WHERE ?2 <= ?4
  ON CONFLICT DO UPDATE SET waiting = waiting + 1, waiting_bytes = waiting_bytes + ?2
    WHERE waiting < ?3 AND waiting_bytes + ?2 <= ?4`;

/** For the transactions that send messages to devices. False when too much waits for the server already. */
export function addOutgoingToDevice(
  db: Connection,
  { serverName, content }: RemoteToDevice,
  { maxMessages, maxBytes }: InboxBound,
): boolean {
  const counted = db.run(countOutgoingSql, serverName, Buffer.byteLength(content), maxMessages, maxBytes);
  if (counted === 0) return false;
  db.run("INSERT INTO outgoing_to_device (server_name, content) VALUES (?, ?)", serverName, content);
  return true;
}

function removeToDevice({ db }: WriteTransaction, messageNids: readonly number[]): void {
  const removed = db.all<{ serverName: string; bytes: number }>(
    `DELETE FROM outgoing_to_device WHERE message_nid IN (SELECT value FROM json_each(?))
     RETURNING server_name AS serverName, octet_length(content) AS bytes`,
    JSON.stringify(messageNids),
  );
  for (const [serverName, messages] of Map.groupBy(removed, (message) => message.serverName)) {
    const bytes = messages.reduce((sum, message) => sum + message.bytes, 0);
    db.run(
      `UPDATE outgoing_to_device_sizes SET waiting = waiting - ?, waiting_bytes = waiting_bytes - ?
       WHERE server_name = ?`,
      messages.length,
      bytes,
      serverName,
    );
    db.run("DELETE FROM outgoing_to_device_sizes WHERE server_name = ? AND waiting = 0", serverName);
  }
}

function names(rows: readonly { readonly name: string }[]): string[] {
  return rows.map(({ name }) => name);
}

function settle(
  { db }: WriteTransaction,
  { sentUpTo, deviceListsUpTo, owed, inUse }: SettledDestinations,
): void {
  db.run(settleSql, sentUpTo, deviceListsUpTo, JSON.stringify(owed));
  db.run(forgetSql, JSON.stringify(inUse));
}

function readUnsentRooms(
  db: Connection,
  serverName: string,
  after: number,
  lookedUpTo: number,
  limit: number,
): UnsentRooms {
  const looked = db.all<{ roomNid: number; lastPosition: number }>(
    roomsOfServerSql,
    serverName,
    Math.max(after, lookedUpTo),
    limit,
  );
  const rooms = looked.flatMap(({ roomNid }) => {
    const newest = db.get<{ eventNid: number; position: number }>(newestSentSql, roomNid, after);
    return newest ? [{ roomNid, ...newest }] : [];
  });
  return { rooms, lookedUpTo: looked.length < limit ? null : (looked.at(-1)?.lastPosition ?? null) };
}

/** For the transactions that change memberships: counts the joined users of another server in a room. */
export function countServerUser(
  { db }: WriteTransaction,
  roomNid: number,
  userNid: number,
  change: 1 | -1,
): void {
  const serverName = db.get<{ name: string }>(
    `SELECT ${serverOfUserSql} AS name FROM users WHERE user_nid = ?`,
    userNid,
  )?.name;
  if (serverName === undefined) return;
  db.run(
    `INSERT INTO room_servers (room_nid, server_name, joined) VALUES (?1, ?2, ?3)
     ON CONFLICT DO UPDATE SET joined = joined + ?3`,
    roomNid,
    serverName,
    change,
  );
  db.run(
    "DELETE FROM room_servers WHERE room_nid = ? AND server_name = ? AND joined <= 0 AND is_told = 0",
    roomNid,
    serverName,
  );
}

/**
 * For the transactions that change memberships, when somebody of another server is in a room no more and its count has been
 * changed: keeps what users of this server have done to that, for a server that does not come to it by catching up.
 * @param hasLeft whether the user has been in the room, so that the server may have been until now. What was done to others
 *   of its users before, and has not been sent, is kept as well
 * @returns the server that something is kept for
 */
export function addFarewells(
  { db }: WriteTransaction,
  roomNid: number,
  { userNid, eventNid }: { userNid: number; eventNid: number },
  hasLeft: boolean,
): string | undefined {
  const name = db.get<{ name: string }>(goneServerSql, roomNid, userNid)?.name;
  if (name === undefined) return undefined;
  const earlier = hasLeft ? db.run(earlierFarewellsSql, name, roomNid) : 0;
  if (earlier + db.run(farewellSql, name, eventNid) === 0) return undefined;
  db.run(boundFarewellsSql, name);
  return name;
}
