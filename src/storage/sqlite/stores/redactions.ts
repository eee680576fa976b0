import type { AppliedRedaction, EventEffects, NewEvent } from "../../commits.ts";
import type { Connection } from "../engine/connection.ts";
import { removeRelation } from "./relations.ts";
import { unstick } from "./sticky-events.ts";

type Redacting = EventEffects & Pick<NewEvent, "eventNid" | "eventId" | "roomNid">;

/** For those who bring an event into the timeline: redacts others for it, or has it wait for what it redacts. */
export function redactWhatItMust(db: Connection, event: Redacting): void {
  const { eventNid, eventId, redaction, lateRedaction, awaitedTarget, redactsAllOf } = event;
  if (redaction) applyRedaction(db, eventNid, redaction);
  if (lateRedaction) {
    applyRedaction(db, lateRedaction.redactionNid, lateRedaction);
    db.run("DELETE FROM waiting_redactions WHERE target_id = ?", eventId);
  }
  if (redactsAllOf !== undefined) queueSweep(db, event, redactsAllOf);
  if (awaitedTarget === undefined) return;
  db.run(
    "INSERT INTO waiting_redactions (target_id, redaction_nid) VALUES (?, ?) ON CONFLICT DO NOTHING",
    awaitedTarget,
    eventNid,
  );
}

function queueSweep(db: Connection, { eventNid, roomNid }: Redacting, userNid: number): void {
  db.run(
    "INSERT INTO redaction_sweeps (event_nid, room_nid, user_nid) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    eventNid,
    roomNid,
    userNid,
  );
}

/** Part of every transaction that redacts an event. False, and nothing changes, when it has been redacted before. */
export function applyRedaction(
  db: Connection,
  redactionNid: number,
  { targetNid, common, federation }: AppliedRedaction,
): boolean {
  const redacted = db.run(
    "UPDATE events SET common = ?, federation = ?, redacted_by = ? WHERE event_nid = ? AND redacted_by IS NULL",
    common,
    federation,
    redactionNid,
    targetNid,
  );
  if (redacted === 0) return false;
  unstick(db, targetNid);
  removeRelation(db, targetNid);
  return true;
}
