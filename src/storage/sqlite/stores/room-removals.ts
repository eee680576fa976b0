import { membershipCodes } from "../../memberships.ts";
import type { LocalMember, RemovedPart, RoomRemovalStore } from "../../room-removals.ts";
import { dropSnapshot } from "./dropped-snapshots.ts";
import { removeEvent } from "./event-removal.ts";
import { keepNidsApart } from "./removed-nids.ts";
import { removeSnapshot } from "./snapshot-collection.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";

interface RemovedEvent {
  readonly eventNid: number;
  readonly eventId: string;
}

const { invite, join, knock } = membershipCodes;
const staying = `${invite}, ${join}, ${knock}`;

const columns = "event_nid AS eventNid, event_id AS eventId";
const placedSql = `SELECT ${columns} FROM events WHERE room_nid = ? AND position IS NOT NULL ORDER BY position LIMIT ?`;
const unplacedSql = `SELECT ${columns} FROM events WHERE room_nid = ? AND position IS NULL LIMIT ?`;

/** Tables of which a room has many rows, each with its key after `room_nid`, and those that are found by an index. */
const chunkedSqls = [
  ["threads", "root_id"],
  ["timeline_gaps", "position, event_nid"],
  ["late_auth_edges", "event_nid"],
  ["space_children", "child_id"],
  ["room_servers", "server_name"],
].map(
  ([table, key]) => `DELETE FROM ${table} WHERE room_nid = ?1 AND (${key}) IN (
    SELECT ${key} FROM ${table} WHERE room_nid = ?1 LIMIT ?2)`,
);
const receiptsSql = `DELETE FROM receipts WHERE (user_nid, room_nid, kind, thread) IN (
  SELECT user_nid, room_nid, kind, thread FROM receipts WHERE room_nid = ?1 LIMIT ?2)`;
const inboxSql = `DELETE FROM federation_inbox WHERE inbox_nid IN (
  SELECT inbox_nid FROM federation_inbox WHERE room_nid = ?1 LIMIT ?2)`;
const aliasesSql = `DELETE FROM room_aliases WHERE alias IN (
  SELECT alias FROM room_aliases WHERE room_nid = ?1 LIMIT ?2)`;

/** Tables of which a room has few rows, or which are small themselves. */
const fewRowsSqls = [
  "forward_extremities",
  "room_summaries",
  "third_party_invites",
  "appservice_rooms",
  "partial_rooms",
  "server_notice_rooms",
  "event_reports",
].map((table) => `DELETE FROM ${table} WHERE room_nid = ?`);

/** What a user of this server has in a room. */
const userTables = ["membership_log", "unread_checkpoints", "thread_subscriptions"] as const;
const removeOfUserSqls = userTables.map(
  (table) => `DELETE FROM ${table} WHERE user_nid = ? AND room_nid = ?`,
);

export const roomRemovalOperations: StoreOperations<RoomRemovalStore> = {
  countEvents: scan(
    (db, roomNid: number) =>
      db.get<{ count: number }>(
        `SELECT (SELECT count(*) FROM events WHERE room_nid = ?1 AND position IS NOT NULL)
           + (SELECT count(*) FROM events WHERE room_nid = ?1 AND position IS NULL) AS count`,
        roomNid,
      )?.count ?? 0,
  ),
  localMembers: point((db, roomNid: number, afterUserNid: number, limit: number) =>
    db.all<LocalMember>(
      `SELECT user_nid AS userNid, user_id AS userId FROM memberships JOIN users USING (user_nid)
       WHERE room_nid = ? AND memberships.is_local = 1 AND membership IN (${staying}) AND user_nid > ?
       ORDER BY user_nid LIMIT ?`,
      roomNid,
      afterUserNid,
      limit,
    ),
  ),
  begin: write((tx, roomNid: number) => {
    tx.db.run("UPDATE rooms SET is_removed = 1, is_public = 0 WHERE room_nid = ?", roomNid);
    tx.position("timeline", roomNid, { isHistory: true });
  }),
  removePart: write(removePart),
};

/** Takes some rows away. @returns how many */
type Removal = (tx: WriteTransaction, roomNid: number, limit: number) => number;

/** In this order: what others lead to goes after them. */
const removals: readonly Removal[] = [
  removeSnapshots,
  removeMembers,
  ...[...chunkedSqls, receiptsSql, inboxSql, aliasesSql].map(
    (sql): Removal =>
      ({ db }, roomNid, limit) =>
        db.run(sql, roomNid, limit),
  ),
];

function removePart(tx: WriteTransaction, roomNid: number, limit: number): RemovedPart {
  const { db } = tx;
  const events = [placedSql, unplacedSql]
    .flatMap((sql) => db.all<RemovedEvent>(sql, roomNid, limit))
    .slice(0, limit);
  // What follows them in threads goes with its own room, so no thread need be counted anew.
  for (const { eventNid, eventId } of events) removeEvent(db, eventNid, eventId);
  if (events.length > 0) {
    keepNidsApart(db, { eventNid: Math.max(...events.map(({ eventNid }) => eventNid)) });
    return { eventCount: events.length, isDone: false };
  }
  for (const remove of removals) if (remove(tx, roomNid, limit) > 0) return { eventCount: 0, isDone: false };
  removeRoom(db, roomNid);
  return { eventCount: 0, isDone: true };
}

/** With the events all that could refer to the room's snapshots has gone, but for those that are derived from them. */
function removeSnapshots({ db }: WriteTransaction, roomNid: number, limit: number): number {
  const { current = null } =
    db.get<{ current: number | null }>(
      "SELECT current_snapshot AS current FROM rooms WHERE room_nid = ?",
      roomNid,
    ) ?? {};
  if (current !== null) {
    dropSnapshot(db, roomNid, current);
    db.run("UPDATE rooms SET current_snapshot = NULL WHERE room_nid = ?", roomNid);
  }
  const dropped = db.all<{ nid: number }>(
    "SELECT snapshot_nid AS nid FROM dropped_snapshots WHERE room_nid = ? ORDER BY snapshot_nid DESC LIMIT ?",
    roomNid,
    limit,
  );
  for (const { nid } of dropped) removeSnapshot(db, roomNid, nid);
  return dropped.length;
}

function removeMembers(tx: WriteTransaction, roomNid: number, limit: number): number {
  const { db } = tx;
  const members = db.all<{ userNid: number; isLocal: number; membership: number }>(
    "SELECT user_nid AS userNid, is_local AS isLocal, membership FROM memberships WHERE room_nid = ? LIMIT ?",
    roomNid,
    limit,
  );
  for (const { userNid, isLocal, membership } of members) {
    db.run("DELETE FROM memberships WHERE room_nid = ? AND user_nid = ?", roomNid, userNid);
    if (isLocal === 0) continue;
    // They could not leave. Whoever remembers rooms of members has to know.
    if (membership === join) tx.position("membership", userNid, { membership: { roomNid, joined: false } });
    for (const sql of removeOfUserSqls) db.run(sql, userNid, roomNid);
    db.run(
      "DELETE FROM account_data WHERE user_nid = ? AND scope = (SELECT room_id FROM rooms WHERE room_nid = ?)",
      userNid,
      roomNid,
    );
  }
  return members.length;
}

function removeRoom(db: Connection, roomNid: number): void {
  for (const sql of fewRowsSqls) db.run(sql, roomNid);
  db.run(
    "DELETE FROM delayed_events WHERE room_id = (SELECT room_id FROM rooms WHERE room_nid = ?)",
    roomNid,
  );
  db.run("DELETE FROM rooms WHERE room_nid = ?", roomNid);
  keepNidsApart(db, { roomNid });
}
