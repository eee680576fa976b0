/** Work that goes on after its request; see `stores/jobs.ts`. */
export const jobs = `
-- A row goes some weeks after its job has ended, when the next one is worked on. How many are active at a time is bounded.
CREATE TABLE jobs (
  job_id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  params TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_ts INTEGER NOT NULL,
  state TEXT NOT NULL,
  cursor TEXT,
  done_count INTEGER NOT NULL DEFAULT 0,
  total_count INTEGER,
  result TEXT,
  error TEXT,
  started_ts INTEGER,
  ended_ts INTEGER
) WITHOUT ROWID;
-- Nothing is done twice at the same time; and what there is to do is found without reading what has ended.
CREATE UNIQUE INDEX jobs_active ON jobs (kind, subject) WHERE ended_ts IS NULL;
-- For lists, and for what has ended long ago.
CREATE INDEX jobs_created ON jobs (created_ts, job_id);
`;
