import { keptForSureMs } from "../../../audit-log.ts";

/** What administrators do; see `stores/audit-log.ts`. */
export const auditLog = `
-- Two rows for each act of an administrator: when it begins and how it ends. Rows go when they are older than the
-- configuration says; neither the server nor anybody with a shell for SQLite changes or loses one by mistake before.
CREATE TABLE audit_log (
  -- Never used again: a gap shows that something was taken out.
  audit_id INTEGER PRIMARY KEY AUTOINCREMENT,
  ts INTEGER NOT NULL,
  actor TEXT NOT NULL,
  address TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  beginning_id INTEGER,
  outcome TEXT NOT NULL,
  details TEXT NOT NULL,
  hash BLOB NOT NULL
);
-- How an act ended, for lists of acts.
CREATE UNIQUE INDEX audit_log_ends ON audit_log (beginning_id) WHERE beginning_id IS NOT NULL;
-- What was done to a user or a room: the question that is asked most.
CREATE INDEX audit_log_targets ON audit_log (target, audit_id) WHERE beginning_id IS NULL;
CREATE TRIGGER audit_log_unchanged BEFORE UPDATE ON audit_log BEGIN
  SELECT RAISE(ABORT, 'the audit log can only be added to');
END;
CREATE TRIGGER audit_log_kept BEFORE DELETE ON audit_log
WHEN OLD.ts > unixepoch() * 1000 - ${keptForSureMs} BEGIN
  SELECT RAISE(ABORT, 'the audit log keeps what is younger than 90 days');
END;
`;
