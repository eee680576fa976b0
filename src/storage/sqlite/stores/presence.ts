import {
  presenceStateOfCode,
  presenceStates,
  type PresenceStore,
  type UserActivity,
  type UserPresence,
} from "../../presence.ts";
import { point, scan, type StoreOperations, write } from "../engine/operations.ts";

const columns = `user_nid AS userNid, state AS code, status_message AS statusMessage,
  last_active_ts AS lastActiveTs`;
const findSql = `SELECT ${columns} FROM presence WHERE user_nid = ?`;
const presentSql = `SELECT ${columns} FROM presence WHERE state <> ${presenceStates.offline} LIMIT ?`;
const changedSql = `SELECT user_nid AS nid FROM presence WHERE position > ? ORDER BY position DESC LIMIT ?`;
const isActiveAccountSql = "SELECT 1 FROM accounts WHERE user_nid = ? AND is_deactivated = 0";
const putSql = `INSERT INTO presence (user_nid, state, status_message, last_active_ts, position) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET state = excluded.state, status_message = excluded.status_message,
    last_active_ts = excluded.last_active_ts, position = excluded.position`;

type StoredPresence = Omit<UserPresence, "state"> & { readonly code: number };

function toPresence({ code, ...row }: StoredPresence): UserPresence {
  return { ...row, state: presenceStateOfCode(code) };
}

export const presenceOperations: StoreOperations<PresenceStore> = {
  find: point((db, userNid: number) => {
    const row = db.get<StoredPresence>(findSql, userNid);
    return row && toPresence(row);
  }),
  // Asked once, when the server starts: no reason to wake a reading worker.
  present: point((db, limit: number) => db.all<StoredPresence>(presentSql, limit).map(toPresence)),
  changedSince: scan((db, position: number, limit: number) =>
    db.all<{ nid: number }>(changedSql, position, limit).map(({ nid }) => nid),
  ),
  put: write((tx, changed: readonly UserPresence[]) => {
    for (const { userNid, state, statusMessage, lastActiveTs } of changed) {
      if (!tx.db.get(isActiveAccountSql, userNid)) continue;
      const position = tx.position("presence", userNid);
      tx.db.run(putSql, userNid, presenceStates[state], statusMessage, lastActiveTs, position);
    }
  }),
  noteActivity: write(({ db }, activity: readonly UserActivity[]) => {
    for (const { userNid, lastActiveTs } of activity) {
      db.run("UPDATE presence SET last_active_ts = ? WHERE user_nid = ?", lastActiveTs, userNid);
    }
  }),
};
