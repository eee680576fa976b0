import type { Connection } from "../engine/connection.ts";

/** Notes that something has ceased to refer to a snapshot. */
export function dropSnapshot(db: Connection, roomNid: number, snapshotNid: number): void {
  // Anew when it was noted before: whoever is looking for references may have seen this one.
  db.run(
    "INSERT OR REPLACE INTO dropped_snapshots (room_nid, snapshot_nid) VALUES (?, ?)",
    roomNid,
    snapshotNid,
  );
}

/** Notes that an event will no longer refer to the snapshots to which it does. */
export function dropSnapshotsOf(db: Connection, eventNid: number): void {
  db.run(
    `WITH event AS (SELECT room_nid, state_before, state_after, room_state FROM events WHERE event_nid = ?)
     INSERT OR REPLACE INTO dropped_snapshots (room_nid, snapshot_nid)
     SELECT room_nid, nid FROM (
       SELECT room_nid, state_before AS nid FROM event UNION SELECT room_nid, state_after FROM event
       UNION SELECT room_nid, room_state FROM event)
     WHERE nid IS NOT NULL`,
    eventNid,
  );
}

/** Grows with each of the above. */
export function dropGeneration(db: Connection, roomNid: number): number {
  const sql = "SELECT max(drop_nid) AS newest FROM dropped_snapshots WHERE room_nid = ?";
  return db.get<{ newest: number | null }>(sql, roomNid)?.newest ?? 0;
}
