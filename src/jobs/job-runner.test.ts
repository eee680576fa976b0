import { setTimeout as delay } from "node:timers/promises";
import t from "tap";
import { MatrixError } from "../protocol/matrix-error.ts";
import { freshDatabases } from "../storage/sqlite/testing/fresh-databases.ts";
import type { Job } from "../storage/jobs.ts";
import type { Stores } from "../storage/database.ts";
import { systemClock } from "../telemetry/clock.ts";
import { systemRandomBytes } from "../telemetry/random.ts";
import { createLogTo } from "../telemetry/log.ts";
import type { JobKind, JobPart } from "./job-kind.ts";
import { JobRunner } from "./job-runner.ts";

const silent = createLogTo(process.stderr, "fatal");
const open = freshDatabases(t.testdir());

/** Counts up to the number that it is given, one a part. */
function counting(parts: string[], beforeStep?: (part: JobPart) => Promise<void>): JobKind {
  return {
    kind: "count",
    async step(part) {
      await beforeStep?.(part);
      const count = Number(part.cursor?.["count"] ?? 0) + 1;
      const to = Number(part.params["to"]);
      parts.push(`${part.subject} ${count}`);
      const step = { cursor: { count }, doneCount: count, totalCount: to };
      return count === to ? { ...step, result: { counted: count } } : step;
    },
  };
}

function runner(store: Stores["jobs"], ...kinds: JobKind[]): JobRunner {
  return new JobRunner({
    store,
    kinds,
    clock: systemClock,
    randomBytes: systemRandomBytes,
    log: silent,
  });
}

async function ended(jobs: JobRunner, jobId: string): Promise<Job> {
  for (;;) {
    const job = await jobs.find(jobId);
    if (job.endedTs !== null) return job;
    await delay(2);
  }
}

function matrixError(errcode: string) {
  return Object.assign(new Error(), { name: "MatrixError", errcode });
}

t.test("jobs take turns, each remembers how far it is and what came of it", async (t) => {
  await using database = await open();
  const parts: string[] = [];
  await using jobs = runner(database.stores.jobs, counting(parts));
  const first = await jobs.start("count", "a", { to: 3 }, "@admin:test");
  const second = await jobs.start("count", "b", { to: 2 }, "@admin:test");
  t.match(await ended(jobs, first), { state: "done", result: '{"counted":3}', doneCount: 3, totalCount: 3 });
  t.match(await ended(jobs, second), { state: "done", result: '{"counted":2}', createdBy: "@admin:test" });
  t.ok(parts.indexOf("b 1") < parts.indexOf("a 3"), "a long job does not keep a short one waiting");
  t.equal((await jobs.list({ limit: 10 })).length, 2);
});

t.test("what a stopped server left is gone on with", async (t) => {
  await using database = await open();
  const parts: string[] = [];
  let stop: () => void = () => undefined;
  const stopping = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const before = runner(
    database.stores.jobs,
    counting(parts, async ({ cursor, signal }) => {
      if (cursor?.["count"] !== 2) return;
      stop();
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))));
    }),
  );
  const jobId = await before.start("count", "a", { to: 4 }, "@admin:test");
  await stopping;
  await before[Symbol.asyncDispose]();
  t.match(await database.stores.jobs.find(jobId), { state: "running", cursor: '{"count":2}' });
  await using after = runner(database.stores.jobs, counting(parts));
  after.begin();
  t.match(await ended(after, jobId), { state: "done", result: '{"counted":4}' });
  t.strictSame(parts, ["a 1", "a 2", "a 3", "a 4"]);
});

t.test("a job that is cancelled ends where it is", async (t) => {
  await using database = await open();
  let begun: () => void = () => undefined;
  const beginning = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const endless: JobKind = {
    kind: "endless",
    async step({ signal }) {
      begun();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return { cursor: {}, doneCount: 1, totalCount: null, result: {} };
    },
  };
  await using jobs = runner(database.stores.jobs, endless);
  const jobId = await jobs.start("endless", "a", {}, "@admin:test");
  await t.rejects(jobs.start("endless", "a", {}, "@admin:test"), matrixError("M_UNKNOWN"));
  await beginning;
  t.match(await jobs.cancel(jobId), { state: "cancelled", result: null });
  await t.rejects(jobs.cancel(jobId), matrixError("M_BAD_STATE"));
  await t.rejects(jobs.cancel("unknown"), matrixError("M_NOT_FOUND"));
  const next = await jobs.start("endless", "a", {}, "@admin:test");
  t.not(next, jobId);
  await jobs.cancel(next);
  t.match(await jobs.find(jobId), { state: "cancelled", result: null }, "its last part changed nothing");
});

t.test("a job that fails tells why, and keeps no other from going on", async (t) => {
  await using database = await open();
  const refused: JobKind = {
    kind: "refused",
    step: async ({ subject }) => {
      throw subject === "known"
        ? new MatrixError("M_NOT_FOUND", "There is no such room")
        : new Error("secret");
    },
  };
  await using jobs = runner(database.stores.jobs, refused, counting([]));
  const known = await jobs.start("refused", "known", {}, "@admin:test");
  const unknown = await jobs.start("refused", "unknown", {}, "@admin:test");
  const foreign = await jobs.start("of-another-version", "x", {}, "@admin:test");
  const good = await jobs.start("count", "x", { to: 1 }, "@admin:test");
  t.match(await ended(jobs, known), { state: "failed", error: "There is no such room" });
  t.match(await ended(jobs, unknown), { state: "failed", error: /log has more/ });
  t.match(await ended(jobs, foreign), { state: "failed", error: /knows no jobs of kind of-another-version/ });
  t.match(await ended(jobs, good), { state: "done" });
});
