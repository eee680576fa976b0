/** What users have reported; see `stores/reports.ts`. */
export const reports = `
-- Rooms, events and users that were reported. Bounded for each reporter and in all; a row goes when an administrator removes
-- it or when newer ones push it out.
CREATE TABLE event_reports (
  -- Never used again, so that a list that is being paged stays in order.
  report_id INTEGER PRIMARY KEY AUTOINCREMENT,
  reporter_nid INTEGER NOT NULL,
  room_nid INTEGER,
  event_id TEXT,
  user_nid INTEGER,
  reason TEXT NOT NULL,
  score INTEGER,
  created_ts INTEGER NOT NULL
);
-- For the bound of each reporter.
CREATE INDEX event_reports_reporter ON event_reports (reporter_nid, report_id);
`;
