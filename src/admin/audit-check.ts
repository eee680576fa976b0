import { createHash } from "node:crypto";
import { type AuditEntry, type AuditLogStore, auditHashText } from "../storage/audit-log.ts";

const entriesAtOnce = 1_000;

export interface AuditCheck {
  readonly checked: number;
  /** The first entry that is not what was written, or before which entries are missing; `undefined` when all is well. */
  readonly firstWrong: number | undefined;
}

/** Reads the whole audit log: whether each entry follows from the one before. What has been removed for its age is no fault. */
export async function checkAuditLog(store: Pick<AuditLogStore, "entries">): Promise<AuditCheck> {
  let before: AuditEntry | undefined;
  let checked = 0;
  for (;;) {
    const entries = await store.entries(before?.auditId ?? 0, entriesAtOnce);
    for (const entry of entries) {
      if (!follows(entry, before)) return { checked, firstWrong: entry.auditId };
      before = entry;
      checked += 1;
    }
    if (entries.length < entriesAtOnce) return { checked, firstWrong: undefined };
  }
}

/** The oldest that is left cannot be checked, unless it is the first one of all: the hash before it has gone. */
function follows(entry: AuditEntry, before: AuditEntry | undefined): boolean {
  if (before === undefined && entry.auditId > 1) return true;
  if (before !== undefined && entry.auditId !== before.auditId + 1) return false;
  const hash = createHash("sha256")
    .update(before?.hash ?? "")
    .update(auditHashText(entry))
    .digest();
  return hash.equals(entry.hash);
}
