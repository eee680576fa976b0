import { eventFlags } from "../../events.ts";
import type { NewEvent } from "../../commits.ts";
import type { StickyEventStore, StickyPlace, StickyRoom } from "../../sticky-events.ts";
import type { Connection } from "../engine/connection.ts";
import { point, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";

const inRoomsSql = `SELECT event_nid AS eventNid, room_nid AS roomNid, position FROM sticky_events
  WHERE room_nid IN (SELECT value FROM json_each(?)) AND position > ? AND position <= ? AND until_ts > ?
  ORDER BY position LIMIT ?`;
const untilSql = `SELECT event_nid AS eventNid, until_ts AS untilTs FROM sticky_events
  WHERE event_nid IN (SELECT value FROM json_each(?)) AND until_ts > ?`;
const ofSenderSql = `SELECT until_ts AS untilTs FROM sticky_events
  WHERE room_nid = ? AND sender_nid = ? AND until_ts > ? ORDER BY until_ts LIMIT ?`;
const hiddenSql = `SELECT event_nid AS eventNid FROM sticky_events
  WHERE room_nid = ? AND sender_nid IN (SELECT value FROM json_each(?)) AND until_ts > ? AND position IS NULL
  ORDER BY event_nid`;

/** Each new row takes so many away whose time is over: more than it adds, so that they never pile up. */
const forgottenAtOnce = 4;
const forgetSql = `DELETE FROM sticky_events WHERE event_nid IN (
  SELECT event_nid FROM sticky_events WHERE until_ts < ? ORDER BY until_ts LIMIT ${forgottenAtOnce})`;

export const stickyEventOperations: StoreOperations<StickyEventStore> = {
  inRooms: point(
    (db, roomNids: readonly number[], after: number, upTo: number, nowTs: number, limit: number) =>
      db.all<StickyPlace>(inRoomsSql, JSON.stringify(roomNids), after, upTo, nowTs, limit),
  ),
  untilTs: point((db, eventNids: readonly number[], nowTs: number) => {
    const rows = db.all<{ eventNid: number; untilTs: number }>(untilSql, JSON.stringify(eventNids), nowTs);
    return new Map(rows.map(({ eventNid, untilTs }) => [eventNid, untilTs]));
  }),
  ofSender: point((db, roomNid: number, senderNid: number, nowTs: number, limit: number) =>
    db.all<{ untilTs: number }>(ofSenderSql, roomNid, senderNid, nowTs, limit).map(({ untilTs }) => untilTs),
  ),
  // Asked at each start: a reading worker would be started for it.
  rooms: point((db, nowTs: number) =>
    db.all<StickyRoom>(
      `SELECT room_nid AS roomNid, max(until_ts) AS untilTs FROM sticky_events
       WHERE until_ts > ? AND position IS NOT NULL GROUP BY room_nid`,
      nowTs,
    ),
  ),
  hidden: point((db, roomNid: number, senderNids: readonly number[], nowTs: number) =>
    db
      .all<{ eventNid: number }>(hiddenSql, roomNid, JSON.stringify(senderNids), nowTs)
      .map(({ eventNid }) => eventNid),
  ),
  reveal: write(reveal),
};

function reveal(tx: WriteTransaction, eventNid: number): void {
  const row = tx.db.get<{ roomNid: number; untilTs: number }>(
    `SELECT room_nid AS roomNid, until_ts AS untilTs FROM sticky_events
     WHERE event_nid = ? AND position IS NULL`,
    eventNid,
  );
  if (!row) return;
  const position = tx.position("stickyEvents", row.roomNid, { stickyUntilTs: row.untilTs });
  tx.db.run("UPDATE sticky_events SET position = ? WHERE event_nid = ?", position, eventNid);
}

type StickyCandidate = Pick<
  NewEvent,
  "eventNid" | "roomNid" | "senderNid" | "originServerTs" | "flags" | "stickyUntilTs" | "historyPosition"
>;

/** Part of the transaction that stores an event. */
export function insertStickyEvent(
  tx: WriteTransaction,
  event: StickyCandidate,
  position: number | null,
): void {
  const { stickyUntilTs, flags, roomNid, historyPosition } = event;
  if (stickyUntilTs === undefined) return;
  const isHidden = (flags & eventFlags.softFailed) !== 0;
  if (position === null && !isHidden) return;
  // What is put between older events is news all the same.
  const deliveredAt =
    position !== null && historyPosition !== undefined
      ? tx.position("stickyEvents", roomNid, { stickyUntilTs })
      : position;
  tx.db.run(forgetSql, Math.min(event.originServerTs, stickyUntilTs));
  tx.db.run(
    `INSERT OR REPLACE INTO sticky_events (event_nid, room_nid, sender_nid, position, until_ts)
     VALUES (?, ?, ?, ?, ?)`,
    event.eventNid,
    roomNid,
    event.senderNid,
    deliveredAt,
    stickyUntilTs,
  );
}

/** "A redacted sticky event is the same as a normal event." */
export function unstick(db: Connection, eventNid: number): void {
  db.run("DELETE FROM sticky_events WHERE event_nid = ?", eventNid);
}
