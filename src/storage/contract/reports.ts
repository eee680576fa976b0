import type { Test } from "tap";
import type { Database } from "../database.ts";
import type { NewReport } from "../reports.ts";

const report: NewReport = {
  reporterNid: 1,
  roomNid: 2,
  eventId: "$event",
  userNid: null,
  reason: "spam",
  score: -100,
  createdTs: 1_000,
};

const bounds = { ofReporter: 10, inAll: 10 };

/** What every back end's store of reports does. */
export function reportStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("reports: are kept until they are removed, the newest first", async (t) => {
    await using database = await open();
    const { reports } = database.stores;
    await reports.add(report, bounds);
    await reports.add({ ...report, roomNid: null, eventId: null, userNid: 5, score: null }, bounds);
    const [second, first] = await reports.list(Number.MAX_SAFE_INTEGER, 10);
    t.match(first, report);
    t.match(second, { userNid: 5, roomNid: null, eventId: null, score: null });
    const reportId = first?.reportId ?? 0;
    t.strictSame({ ...(await reports.find(reportId)) }, { ...report, reportId });
    t.equal((await reports.list(second?.reportId ?? 0, 10)).length, 1);
    t.equal((await reports.list(Number.MAX_SAFE_INTEGER, 1)).length, 1);
    t.equal(await reports.remove(reportId), true);
    t.equal(await reports.remove(reportId), false);
    t.equal(await reports.find(reportId), undefined);
  });

  t.test("reports: each reporter has a bound, which is no other's", async (t) => {
    await using database = await open();
    const { reports } = database.stores;
    const few = { ofReporter: 2, inAll: 100 };
    await reports.add({ ...report, reporterNid: 2 }, few);
    for (const reason of ["a", "b", "c"]) await reports.add({ ...report, reason }, few);
    const kept = await reports.list(Number.MAX_SAFE_INTEGER, 10);
    t.strictSame(
      kept.map(({ reporterNid, reason }) => `${reporterNid} ${reason}`),
      ["1 c", "1 b", "2 spam"],
    );
  });

  t.test("reports: all together have a bound", async (t) => {
    await using database = await open();
    const { reports } = database.stores;
    for (const reporterNid of [1, 2, 3]) {
      await reports.add({ ...report, reporterNid }, { ofReporter: 10, inAll: 2 });
    }
    const kept = await reports.list(Number.MAX_SAFE_INTEGER, 10);
    t.strictSame(
      kept.map(({ reporterNid }) => reporterNid),
      [3, 2],
    );
  });
}
