import { eventFlags } from "../../events.ts";
import type { GapFollowers, HistoryPurgeStore } from "../../history-purges.ts";
import type { RemovedPart } from "../../room-removals.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";
import { displaceEvent, removeEvent } from "./event-removal.ts";
import { keepNidsApart } from "./removed-nids.ts";

interface PurgedEvent {
  readonly eventNid: number;
  readonly eventId: string;
  readonly flags: number;
  readonly isNeeded: number;
  readonly isLocal: number;
}

interface GraphEvent {
  readonly eventNid: number;
  readonly position: number;
  readonly federation: string;
}

const firstAfterSql = `SELECT position FROM events WHERE room_nid = ? AND position IS NOT NULL AND origin_server_ts > ?
  ORDER BY position LIMIT 1`;
const oldestKeptSql = `SELECT min(position) AS position FROM (
  SELECT min(position) AS position FROM events WHERE room_nid = ?1 AND position >= ?2
  UNION ALL SELECT max(position) FROM events WHERE room_nid = ?1 AND position IS NOT NULL
  UNION ALL SELECT min(position) FROM forward_extremities JOIN events USING (event_nid)
    WHERE forward_extremities.room_nid = ?1)`;
/** What is redacted and stays tells by which event. */
const oldestSql = `SELECT event_nid AS eventNid, event_id AS eventId, flags, is_local AS isLocal,
    pair_nid IS NOT NULL OR type_nid = (SELECT type_nid FROM event_types WHERE type = 'm.room.redaction') AS isNeeded
  FROM events JOIN users ON user_nid = sender_nid
  WHERE room_nid = ? AND position IS NOT NULL AND position < ? ORDER BY position LIMIT ?`;
const timelineSql = `SELECT event_nid AS eventNid, position, federation FROM events
  WHERE room_nid = ? AND position IS NOT NULL AND position > ? ORDER BY position LIMIT ?`;
const hasStateSql = "SELECT 1 FROM events WHERE event_id = ? AND state_after IS NOT NULL";
const addFollowerSql =
  "INSERT INTO timeline_gaps (room_nid, position, event_nid) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";

export const historyPurgeOperations: StoreOperations<HistoryPurgeStore> = {
  firstAfter: scan((db, roomNid: number, ts: number) => {
    return db.get<{ position: number }>(firstAfterSql, roomNid, ts)?.position;
  }),
  oldestKept: point((db, roomNid: number, position: number) => {
    return db.get<{ position: number | null }>(oldestKeptSql, roomNid, position)?.position ?? undefined;
  }),
  countBefore: scan((db, roomNid: number, position: number) => {
    const sql =
      "SELECT count(*) AS count FROM events WHERE room_nid = ? AND position IS NOT NULL AND position < ?";
    return db.get<{ count: number }>(sql, roomNid, position)?.count ?? 0;
  }),
  begin: write((tx, roomNid: number, position: number) => {
    const { db } = tx;
    const nid = db.get<{ nid: number }>(
      "SELECT event_nid AS nid FROM events WHERE room_nid = ? AND position = ?",
      roomNid,
      position,
    )?.nid;
    if (nid === undefined) throw new Error(`room ${roomNid} has no event at position ${position}`);
    db.run("DELETE FROM timeline_gaps WHERE room_nid = ? AND position < ?", roomNid, position);
    db.run(addFollowerSql, roomNid, position, nid);
    db.run(
      "UPDATE rooms SET purged_before = max(coalesce(purged_before, ?1), ?1) WHERE room_nid = ?2",
      position,
      roomNid,
    );
    tx.position("timeline", roomNid, { isHistory: true });
  }),
  removePart: write(removePart),
  followers: scan(followers),
  addFollowers: write((tx, roomNid: number, position: number, eventNids: readonly number[]) => {
    for (const eventNid of eventNids) tx.db.run(addFollowerSql, roomNid, position, eventNid);
    tx.position("timeline", roomNid, { isHistory: true });
  }),
};

function removePart(
  tx: WriteTransaction,
  roomNid: number,
  position: number,
  keepsLocal: boolean,
  limit: number,
): RemovedPart {
  const { db } = tx;
  const events = db.all<PurgedEvent>(oldestSql, roomNid, position, limit);
  for (const { eventNid, eventId, flags, isNeeded, isLocal } of events) {
    if (isNeeded === 1 || (keepsLocal && isLocal === 1))
      displaceEvent(db, eventNid, flags | eventFlags.outlier);
    else removeEvent(db, eventNid, eventId);
    db.run("DELETE FROM threads WHERE room_nid = ? AND root_id = ?", roomNid, eventId);
  }
  const changedNids = events.map(({ eventNid }) => eventNid);
  if (changedNids.length > 0) {
    keepNidsApart(db, { eventNid: Math.max(...changedNids) });
    tx.position("timeline", roomNid, { isHistory: true, restatedNids: changedNids });
  }
  return { eventCount: events.length, isDone: events.length < limit };
}

function followers(db: Connection, roomNid: number, after: number, limit: number): GapFollowers {
  const events = db.all<GraphEvent>(timelineSql, roomNid, after, limit);
  const eventNids = events.filter((event) => followsMissing(db, event)).map(({ eventNid }) => eventNid);
  return { eventNids, next: events.length < limit ? null : (events.at(-1)?.position ?? null) };
}

function followsMissing(db: Connection, { federation }: GraphEvent): boolean {
  const { prev_events: previous = [] } = JSON.parse(`{${federation}}`) as {
    prev_events?: readonly unknown[];
  };
  // In the first room versions each is given with its hashes.
  const ids = previous.map((entry) => (Array.isArray(entry) ? (entry as readonly unknown[])[0] : entry));
  return ids.some((id) => db.get(hasStateSql, id as string) === undefined);
}
