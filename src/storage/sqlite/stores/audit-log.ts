import { createHash } from "node:crypto";
import {
  type AuditedAct,
  type AuditEntry,
  auditHashText,
  type AuditLogStore,
  type AuditQuery,
  type NewAuditEntry,
} from "../../audit-log.ts";
import type { Connection } from "../engine/connection.ts";
import { scan, type StoreOperations, write } from "../engine/operations.ts";

const columns = `audit_id AS auditId, ts, actor, address, action, target, beginning_id AS beginningId, outcome,
  details, hash`;

/** The branch on the target lets its index serve: a target is what most lists are of. */
const listedSql = (ofTarget: string) => `SELECT ${columns} FROM audit_log
  WHERE beginning_id IS NULL AND audit_id < ?1 AND ts BETWEEN ?2 AND ?3
    AND (?4 IS NULL OR actor = ?4) AND (?5 IS NULL OR action = ?5) AND ${ofTarget}
  ORDER BY audit_id DESC LIMIT ?7`;
const listSql = listedSql("?6 IS NULL");
const listOfTargetSql = listedSql("target = ?6");

export const auditLogOperations: StoreOperations<AuditLogStore> = {
  add: write(({ db }, entry: NewAuditEntry) => add(db, entry)),
  list: scan(list),
  entries: scan((db, after: number, limit: number) =>
    db.all<AuditEntry>(
      `SELECT ${columns} FROM audit_log WHERE audit_id > ? ORDER BY audit_id LIMIT ?`,
      after,
      limit,
    ),
  ),
  // Entries are added in the order of time, so the oldest have the lowest IDs; the newest stays for the next one's hash.
  removeBefore: write(({ db }, ts: number, limit: number) =>
    db.run(
      `DELETE FROM audit_log WHERE ts < ?1 AND audit_id IN (SELECT audit_id FROM audit_log ORDER BY audit_id LIMIT ?2)
         AND audit_id < (SELECT max(audit_id) FROM audit_log)`,
      ts,
      limit,
    ),
  ),
};

function add(db: Connection, entry: NewAuditEntry): number {
  const { ts, actor, address, action, target, beginningId, outcome, details } = entry;
  const last = db.get<{ auditId: number; hash: Buffer }>(
    "SELECT audit_id AS auditId, hash FROM audit_log ORDER BY audit_id DESC LIMIT 1",
  );
  const auditId = (last?.auditId ?? 0) + 1;
  const hash = createHash("sha256")
    .update(last?.hash ?? "")
    .update(auditHashText({ ...entry, auditId }))
    .digest();
  return db.insert(
    `INSERT INTO audit_log (audit_id, ts, actor, address, action, target, beginning_id, outcome, details, hash)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    auditId,
    ts,
    actor,
    address,
    action,
    target,
    beginningId,
    outcome,
    details,
    hash,
  );
}

function list(db: Connection, query: AuditQuery): AuditedAct[] {
  const { before, limit, fromTs, toTs, actor = null, action = null, target = null } = query;
  const sql = target === null ? listSql : listOfTargetSql;
  const begun = db.all<AuditEntry>(sql, before, fromTs, toTs, actor, action, target, limit);
  return begun.map((entry) => ({
    begun: entry,
    ended: db.get<AuditEntry>(`SELECT ${columns} FROM audit_log WHERE beginning_id = ?`, entry.auditId),
  }));
}
