import type { NewReport, Report, ReportBounds, ReportStore } from "../../reports.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write } from "../engine/operations.ts";

const columns = `report_id AS reportId, reporter_nid AS reporterNid, room_nid AS roomNid, event_id AS eventId,
  user_nid AS userNid, reason, score, created_ts AS createdTs`;

function add(db: Connection, report: NewReport, bounds: ReportBounds): void {
  const reportId = db.insert(
    `INSERT INTO event_reports (reporter_nid, room_nid, event_id, user_nid, reason, score, created_ts)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    report.reporterNid,
    report.roomNid,
    report.eventId,
    report.userNid,
    report.reason,
    report.score,
    report.createdTs,
  );
  db.run(
    `DELETE FROM event_reports WHERE report_id IN (
       SELECT report_id FROM event_reports WHERE reporter_nid = ? ORDER BY report_id DESC LIMIT -1 OFFSET ?)`,
    report.reporterNid,
    bounds.ofReporter,
  );
  db.run("DELETE FROM event_reports WHERE report_id <= ?", reportId - bounds.inAll);
}

export const reportOperations: StoreOperations<ReportStore> = {
  add: write(({ db }, report: NewReport, bounds: ReportBounds) => add(db, report, bounds)),
  find: point((db, reportId: number) =>
    db.get<Report>(`SELECT ${columns} FROM event_reports WHERE report_id = ?`, reportId),
  ),
  list: scan((db, before: number, limit: number) =>
    db.all<Report>(
      `SELECT ${columns} FROM event_reports WHERE report_id < ? ORDER BY report_id DESC LIMIT ?`,
      before,
      limit,
    ),
  ),
  remove: write(
    ({ db }, reportId: number) => db.run("DELETE FROM event_reports WHERE report_id = ?", reportId) > 0,
  ),
};
