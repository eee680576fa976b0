import t from "tap";
import { MatrixError } from "../protocol/matrix-error.ts";
import { freshDatabases } from "../storage/sqlite/testing/fresh-databases.ts";
import type { AuditEntry } from "../storage/audit-log.ts";
import { createLogTo } from "../telemetry/log.ts";
import { systemClock } from "../telemetry/clock.ts";
import { checkAuditLog } from "./audit-check.ts";
import { AuditLog, nothingBefore } from "./audit-log.ts";

const open = freshDatabases(t.testdir());
const silent = createLogTo(process.stderr, "fatal");
const act = {
  actor: "@admin:test",
  address: "::1",
  action: "adminDeleteRoom",
  target: "!room:test",
  request: { purge: true },
};
const query = { before: Number.MAX_SAFE_INTEGER, limit: 10, fromTs: 0, toTs: Number.MAX_SAFE_INTEGER };

t.test("the beginning of an act is in the log before anything is done", async (t) => {
  await using database = await open();
  const { auditLog: store } = database.stores;
  await using auditLog = new AuditLog(store, 1_000, systemClock, silent);
  const seen = await auditLog.record(act, nothingBefore, () => store.list(query));
  t.equal(seen.length, 1);
  t.equal(seen[0]?.ended, undefined, "as it stays when the server is killed now");
  t.strictSame(JSON.parse(seen[0]?.begun.details ?? ""), { purge: true });
  t.equal((await store.list(query))[0]?.ended?.outcome, "done");
});

t.test("only what changed is told, and too much of it is cut off", async (t) => {
  await using database = await open();
  const { auditLog: store } = database.stores;
  await using auditLog = new AuditLog(store, 1_000, systemClock, silent);
  const account = { name: "a", isAdmin: false, notes: "x".repeat(20_000) };
  let now = account;
  const look = async () => now;
  await auditLog.record(act, look, async () => {
    now = { ...account, isAdmin: true };
  });
  const details = () => store.list(query).then(([last]) => JSON.parse(last?.ended?.details ?? "") as object);
  t.strictSame(await details(), { before: { isAdmin: false }, after: { isAdmin: true } });
  await auditLog.record(act, look, async () => {
    now = { ...account, notes: "y".repeat(20_000) };
  });
  t.match(await details(), { cutOff: /^\{"before":\{"isAdmin":true/, length: /^4\d{4}$/ });
});

t.test("what is refused tells why, what is unforeseen only that it failed", async (t) => {
  await using database = await open();
  const { auditLog: store } = database.stores;
  await using auditLog = new AuditLog(store, 1_000, systemClock, silent);
  for (const error of [new MatrixError("M_NOT_FOUND", "No such room"), new Error("a secret")]) {
    await t.rejects(
      auditLog.record(act, nothingBefore, () => Promise.reject(error)),
      error,
    );
  }
  const [unforeseen, refused] = await store.list(query);
  t.match(refused?.ended, { outcome: "refused", details: '{"error":"M_NOT_FOUND: No such room"}' });
  t.notMatch(unforeseen?.ended?.details, /secret/);
});

t.test("a changed entry shows, and so does one that was taken out", async (t) => {
  await using database = await open();
  const { auditLog: store } = database.stores;
  await using auditLog = new AuditLog(store, 1_000, systemClock, silent);
  for (const target of ["a", "b", "c"]) {
    await auditLog.record({ ...act, target }, nothingBefore, async () => undefined);
  }
  t.strictSame(await checkAuditLog(store), { checked: 6, firstWrong: undefined });
  const falsified = (change: (entries: readonly AuditEntry[]) => readonly AuditEntry[]) => ({
    entries: async (after: number, limit: number) => change(await store.entries(after, limit)),
  });
  const changed = falsified((all) =>
    all.map((entry) => (entry.auditId === 3 ? { ...entry, actor: "@b:test" } : entry)),
  );
  t.strictSame(await checkAuditLog(changed), { checked: 2, firstWrong: 3 });
  const missing = falsified((all) => all.filter(({ auditId }) => auditId !== 4));
  t.strictSame(await checkAuditLog(missing), { checked: 3, firstWrong: 5 });
  const old = falsified((all) => all.filter(({ auditId }) => auditId > 2));
  t.strictSame(await checkAuditLog(old), { checked: 4, firstWrong: undefined }, "what is too old may go");
});
