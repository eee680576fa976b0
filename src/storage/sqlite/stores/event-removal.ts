import type { Connection } from "../engine/connection.ts";
import { dropSnapshotsOf } from "./dropped-snapshots.ts";
import { removeRelation } from "./relations.ts";
import { unstick } from "./sticky-events.ts";

/** What is kept of each event beside its row, by the event's integer ID. */
const eventTables = [
  "event_auth",
  "stripped_states",
  "send_transactions",
  "sticky_events",
  "redaction_sweeps",
  "farewells",
] as const;
const removeOfEventSqls = eventTables.map((table) => `DELETE FROM ${table} WHERE event_nid = ?`);

/** Takes an event away, with what is known of it. What it relates to is not counted anew. */
export function removeEvent(db: Connection, eventNid: number, eventId: string): void {
  for (const sql of removeOfEventSqls) db.run(sql, eventNid);
  db.run("DELETE FROM event_relations WHERE event_nid = ?", eventNid);
  db.run("DELETE FROM waiting_redactions WHERE target_id = ?", eventId);
  dropSnapshotsOf(db, eventNid);
  db.run("DELETE FROM events WHERE event_nid = ?", eventNid);
}

/**
 * Takes an event out of its room's graph and timeline: from then on it is known as a part of states and auth chains only.
 * @param flags those that it is to have
 */
export function displaceEvent(db: Connection, eventNid: number, flags: number): void {
  dropSnapshotsOf(db, eventNid);
  db.run(
    `UPDATE events SET position = NULL, state_before = NULL, state_after = NULL, room_state = NULL, flags = ?
     WHERE event_nid = ?`,
    flags,
    eventNid,
  );
  unstick(db, eventNid);
  removeRelation(db, eventNid);
}
