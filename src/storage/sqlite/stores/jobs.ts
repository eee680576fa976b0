import type { Job, JobAdded, JobEnd, JobProgress, JobQuery, JobStore, NewJob } from "../../jobs.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write } from "../engine/operations.ts";

const columns = `job_id AS jobId, kind, subject, params, created_by AS createdBy, created_ts AS createdTs, state, cursor,
  done_count AS doneCount, total_count AS totalCount, result, error, started_ts AS startedTs, ended_ts AS endedTs`;

export const jobOperations: StoreOperations<JobStore> = {
  add: write(({ db }, job: NewJob, maxActive: number) => add(db, job, maxActive)),
  find: point((db, jobId: string) => db.get<Job>(`SELECT ${columns} FROM jobs WHERE job_id = ?`, jobId)),
  list: scan((db, { before, limit, kind, subject, state }: JobQuery) =>
    db.all<Job>(
      `SELECT ${columns} FROM jobs
       WHERE (created_ts, job_id) < (?1, ?2) AND (?3 IS NULL OR kind = ?3) AND (?4 IS NULL OR subject = ?4)
         AND (?5 IS NULL OR state = ?5)
       ORDER BY created_ts DESC, job_id DESC LIMIT ?6`,
      before?.createdTs ?? Number.MAX_SAFE_INTEGER,
      before?.jobId ?? "",
      kind ?? null,
      subject ?? null,
      state ?? null,
      limit,
    ),
  ),
  active: point((db, limit: number) =>
    db.all<Job>(
      `SELECT ${columns} FROM jobs WHERE ended_ts IS NULL ORDER BY state = 'waiting', created_ts, job_id LIMIT ?`,
      limit,
    ),
  ),
  start: write(({ db }, jobId: string, ts: number) => {
    db.run(
      "UPDATE jobs SET state = 'running', started_ts = ifnull(started_ts, ?) WHERE job_id = ? AND ended_ts IS NULL",
      ts,
      jobId,
    );
  }),
  advance: write(({ db }, jobId: string, { cursor, doneCount, totalCount }: JobProgress) => {
    db.run(
      "UPDATE jobs SET cursor = ?, done_count = ?, total_count = ? WHERE job_id = ? AND ended_ts IS NULL",
      cursor,
      doneCount,
      totalCount,
      jobId,
    );
  }),
  end: write(
    (
      { db },
      jobId: string,
      {
        state,
        ts,
        result,
        error,
      }: { state: JobEnd; ts: number; result: string | null; error: string | null },
    ) =>
      db.run(
        "UPDATE jobs SET state = ?, ended_ts = ?, result = ?, error = ? WHERE job_id = ? AND ended_ts IS NULL",
        state,
        ts,
        result,
        error,
        jobId,
      ) > 0,
  ),
  removeEndedBefore: write(({ db }, ts: number, limit: number) =>
    db.run(
      `DELETE FROM jobs WHERE job_id IN (
         SELECT job_id FROM jobs WHERE created_ts < ?1 AND ended_ts < ?1 ORDER BY created_ts LIMIT ?2)`,
      ts,
      limit,
    ),
  ),
};

function add(db: Connection, job: NewJob, maxActive: number): JobAdded {
  const { jobId, kind, subject, params, createdBy, createdTs } = job;
  const active = db.get<{ count: number }>("SELECT count(*) AS count FROM jobs WHERE ended_ts IS NULL");
  if ((active?.count ?? 0) >= maxActive) return "too-many";
  const added = db.run(
    `INSERT INTO jobs (job_id, kind, subject, params, created_by, created_ts, state)
     VALUES (?, ?, ?, ?, ?, ?, 'waiting') ON CONFLICT DO NOTHING`,
    jobId,
    kind,
    subject,
    params,
    createdBy,
    createdTs,
  );
  return added > 0 ? "added" : "already-active";
}
