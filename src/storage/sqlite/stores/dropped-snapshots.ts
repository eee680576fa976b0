import type { Connection } from "../engine/connection.ts";

/** Notes that something has ceased to refer to a snapshot. */
export function dropSnapshot(db: Connection, roomNid: number, snapshotNid: number): void {
  db.run(
    "INSERT INTO dropped_snapshots (room_nid, snapshot_nid) VALUES (?, ?) ON CONFLICT DO NOTHING",
    roomNid,
    snapshotNid,
  );
}

/** Notes that an event will no longer refer to the snapshots to which it does. */
export function dropSnapshotsOf(db: Connection, eventNid: number): void {
  db.run(
    `WITH event AS (SELECT room_nid, state_before, state_after, room_state FROM events WHERE event_nid = ?)
     INSERT INTO dropped_snapshots (room_nid, snapshot_nid)
     SELECT room_nid, nid FROM (
       SELECT room_nid, state_before AS nid FROM event UNION SELECT room_nid, state_after FROM event
       UNION SELECT room_nid, room_state FROM event)
     WHERE nid IS NOT NULL ON CONFLICT DO NOTHING`,
    eventNid,
  );
}
