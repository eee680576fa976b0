import type { AppliedRedaction } from "../../commits.ts";
import type { RedactionSweep, RedactionSweepStore } from "../../redaction-sweeps.ts";
import { point, type StoreOperations, write } from "../engine/operations.ts";
import { applyRedaction } from "./redactions.ts";

export const redactionSweepOperations: StoreOperations<RedactionSweepStore> = {
  list: point((db, limit: number) =>
    db.all<RedactionSweep>(
      `SELECT event_nid AS eventNid, room_nid AS roomNid, user_nid AS userNid
       FROM redaction_sweeps ORDER BY event_nid LIMIT ?`,
      limit,
    ),
  ),
  redact: write((tx, { eventNid, roomNid }: RedactionSweep, redactions: readonly AppliedRedaction[]) => {
    for (const redaction of redactions) {
      if (applyRedaction(tx.db, eventNid, redaction)) {
        tx.position("timeline", roomNid, { redactedNid: redaction.targetNid });
      }
    }
  }),
  done: write(({ db }, eventNid: number) => {
    db.run("DELETE FROM redaction_sweeps WHERE event_nid = ?", eventNid);
  }),
};
