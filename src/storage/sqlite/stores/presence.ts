import {
  presenceStateOfCode,
  presenceStates,
  type PresenceStore,
  type StoredPresence,
  type UserActivity,
  type UserPresence,
} from "../../presence.ts";
import { membershipCodes } from "../../memberships.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write } from "../engine/operations.ts";

const columns = `user_nid AS userNid, state AS code, status_message AS statusMessage,
  last_active_ts AS lastActiveTs`;
const findSql = `SELECT ${columns} FROM presence WHERE user_nid = ?`;
const presentSql = `SELECT ${columns}, is_local AS isLocal FROM presence INDEXED BY presence_present
  CROSS JOIN users USING (user_nid) WHERE state <> ${presenceStates.offline} LIMIT ?`;
// How many rows the two ways have to look at: members of the rooms, or users who are there with some rooms each.
const costsSql = `SELECT (SELECT sum(joined_members) FROM rooms WHERE room_nid IN (SELECT value FROM json_each(?))) AS members,
  (SELECT count(*) FROM presence WHERE state <> ${presenceStates.offline}) * 20 AS users`;
const presentMembersSql = `SELECT DISTINCT user_nid AS nid
  FROM json_each(?) AS room CROSS JOIN memberships ON room_nid = room.value CROSS JOIN presence USING (user_nid)
  WHERE membership = ${membershipCodes.join} AND state <> ${presenceStates.offline} LIMIT ?`;
const presentUsersSql = `SELECT user_nid AS nid FROM presence INDEXED BY presence_present
  WHERE state <> ${presenceStates.offline} AND EXISTS (
    SELECT 1 FROM memberships WHERE memberships.user_nid = presence.user_nid AND membership = ${membershipCodes.join}
      AND +room_nid IN (SELECT value FROM json_each(?)))
  LIMIT ?`;
const forgetRemoteSql = `DELETE FROM presence WHERE user_nid IN (
  SELECT user_nid FROM presence CROSS JOIN users USING (user_nid)
  WHERE state = ${presenceStates.offline} AND is_local = 0 ORDER BY position DESC LIMIT -1 OFFSET ?)`;
const changedSql = `SELECT user_nid AS nid FROM presence WHERE position > ? ORDER BY position DESC LIMIT ?`;
const isThereSql = `SELECT 1 FROM users LEFT JOIN accounts USING (user_nid)
  WHERE user_nid = ? AND (is_local = 0 OR is_deactivated = 0)`;
const putSql = `INSERT INTO presence (user_nid, state, status_message, last_active_ts, position) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET state = excluded.state, status_message = excluded.status_message,
    last_active_ts = excluded.last_active_ts, position = excluded.position`;

type PresenceRow = Omit<UserPresence, "state"> & { readonly code: number };

function toPresence({ code, ...row }: PresenceRow): UserPresence {
  return { ...row, state: presenceStateOfCode(code) };
}

function present(db: Connection, limit: number): StoredPresence[] {
  const rows = db.all<PresenceRow & { readonly isLocal: number }>(presentSql, limit);
  return rows.map(({ isLocal, ...row }) => ({ ...toPresence(row), isLocal: isLocal === 1 }));
}

export const presenceOperations: StoreOperations<PresenceStore> = {
  find: point((db, userNid: number) => {
    const row = db.get<PresenceRow>(findSql, userNid);
    return row && toPresence(row);
  }),
  // Asked once, when the server starts: no reason to wake a reading worker.
  present: point(present),
  presentIn: scan((db, roomNids: readonly number[], limit: number) => {
    const rooms = JSON.stringify(roomNids);
    const costs = db.get<{ members: number | null; users: number }>(costsSql, rooms);
    const sql = (costs?.members ?? 0) <= (costs?.users ?? 0) ? presentMembersSql : presentUsersSql;
    return db.all<{ nid: number }>(sql, rooms, limit).map(({ nid }) => nid);
  }),
  changedSince: scan((db, position: number, limit: number) =>
    db.all<{ nid: number }>(changedSql, position, limit).map(({ nid }) => nid),
  ),
  put: write((tx, changed: readonly UserPresence[]) => {
    for (const { userNid, state, statusMessage, lastActiveTs } of changed) {
      if (!tx.db.get(isThereSql, userNid)) continue;
      const position = tx.position("presence", userNid);
      tx.db.run(putSql, userNid, presenceStates[state], statusMessage, lastActiveTs, position);
    }
  }),
  noteActivity: write(({ db }, activity: readonly UserActivity[]) => {
    for (const { userNid, lastActiveTs } of activity) {
      db.run("UPDATE presence SET last_active_ts = ? WHERE user_nid = ?", lastActiveTs, userNid);
    }
  }),
  forgetRemote: write(({ db }, kept: number) => {
    db.run(forgetRemoteSql, kept);
  }),
};
