import type { Test } from "tap";
import type { Database } from "../database.ts";
import type { JobQuery, NewJob } from "../jobs.ts";

const job: NewJob = {
  jobId: "a",
  kind: "delete-room",
  subject: "!room:test",
  params: '{"purge":true}',
  createdBy: "@admin:test",
  createdTs: 1_000,
};

/** What every back end's store of jobs does. */
export function jobStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("jobs: one of a kind for a subject is active at a time, and so many in all", async (t) => {
    await using database = await open();
    const { jobs } = database.stores;
    t.equal(await jobs.add(job, 2), "added");
    t.equal(await jobs.add({ ...job, jobId: "b" }, 2), "already-active");
    t.equal(await jobs.add({ ...job, jobId: "b", subject: "!other:test" }, 2), "added");
    t.equal(await jobs.add({ ...job, jobId: "c", subject: "!third:test" }, 2), "too-many");
    t.equal(await jobs.end("a", { state: "cancelled", ts: 2_000, result: null, error: null }), true);
    t.equal(await jobs.end("a", { state: "done", ts: 2_000, result: null, error: null }), false);
    t.equal(await jobs.add({ ...job, jobId: "c" }, 2), "added");
    t.equal((await jobs.find("a"))?.state, "cancelled");
  });

  t.test("jobs: remember how far they are; those that were running come first", async (t) => {
    await using database = await open();
    const { jobs } = database.stores;
    await jobs.add(job, 10);
    await jobs.add({ ...job, jobId: "b", kind: "purge-history", createdTs: 2_000 }, 10);
    t.strictSame(
      { ...(await jobs.find("a")) },
      {
        ...job,
        state: "waiting",
        cursor: null,
        doneCount: 0,
        totalCount: null,
        result: null,
        error: null,
        startedTs: null,
        endedTs: null,
      },
    );
    await jobs.start("b", 3_000);
    await jobs.advance("b", { cursor: '{"at":5}', doneCount: 5, totalCount: 9 });
    const [first, second] = await jobs.active(10);
    t.match(first, { jobId: "b", state: "running", cursor: '{"at":5}', doneCount: 5, totalCount: 9 });
    t.match(second, { jobId: "a", state: "waiting" });
    await jobs.start("b", 4_000);
    t.equal((await jobs.find("b"))?.startedTs, 3_000, "it goes on where it was");
    await jobs.end("b", { state: "failed", ts: 5_000, result: null, error: "full" });
    await jobs.advance("b", { cursor: null, doneCount: 0, totalCount: null });
    t.match(await jobs.find("b"), { state: "failed", error: "full", endedTs: 5_000, doneCount: 5 });
    t.equal((await jobs.active(10)).length, 1);
  });

  t.test("jobs: are listed, the newest first, and go some time after their end", async (t) => {
    await using database = await open();
    const { jobs } = database.stores;
    for (const [index, subject] of ["x", "y", "z"].entries()) {
      await jobs.add({ ...job, jobId: subject, subject, createdTs: 1_000 + index }, 10);
    }
    await jobs.end("x", { state: "done", ts: 1_500, result: "{}", error: null });
    await jobs.end("y", { state: "done", ts: 9_000, result: "{}", error: null });
    const ids = async (query: Partial<JobQuery>) =>
      (await jobs.list({ limit: 10, ...query })).map(({ jobId }) => jobId);
    t.strictSame(await ids({}), ["z", "y", "x"]);
    t.strictSame(await ids({ before: { createdTs: 1_002, jobId: "z" } }), ["y", "x"]);
    t.strictSame(await ids({ limit: 1 }), ["z"]);
    t.strictSame(await ids({ state: "done" }), ["y", "x"]);
    t.strictSame(await ids({ subject: "x" }), ["x"]);
    t.strictSame(await ids({ kind: "purge-history" }), []);
    t.equal(await jobs.removeEndedBefore(5_000, 10), 1);
    t.strictSame(await ids({}), ["z", "y"]);
  });
}
