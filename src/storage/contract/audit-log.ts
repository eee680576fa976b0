import { createHash } from "node:crypto";
import type { Test } from "tap";
import { type AuditQuery, auditHashText, keptForSureMs, type NewAuditEntry } from "../audit-log.ts";
import { systemClock } from "../../telemetry/clock.ts";
import type { Database } from "../database.ts";

const begun: NewAuditEntry = {
  ts: 1_000,
  actor: "@admin:test",
  address: "192.0.2.1",
  action: "setAdminLockUser",
  target: "@alice:test",
  beginningId: null,
  outcome: "begun",
  details: "{}",
};
const everything: AuditQuery = {
  before: Number.MAX_SAFE_INTEGER,
  limit: 10,
  fromTs: 0,
  toTs: Number.MAX_SAFE_INTEGER,
};

/** What every back end's audit log does. */
export function auditLogStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test(
    "audit log: acts with their ends, the newest first, by actor, action, target and time",
    async (t) => {
      await using database = await open();
      const { auditLog } = database.stores;
      const first = await auditLog.add(begun);
      await auditLog.add({ ...begun, ts: 1_001, beginningId: first, outcome: "done" });
      const second = await auditLog.add({ ...begun, ts: 2_000, target: "!room:test", actor: "@bob:test" });
      const ids = async (query: Partial<AuditQuery>) =>
        (await auditLog.list({ ...everything, ...query })).map((act) => act.begun.auditId);
      t.strictSame(await ids({}), [second, first]);
      t.strictSame(await ids({ before: second }), [first]);
      t.strictSame(await ids({ limit: 1 }), [second]);
      t.strictSame(await ids({ target: "!room:test" }), [second]);
      t.strictSame(await ids({ actor: "@admin:test" }), [first]);
      t.strictSame(await ids({ action: "setAdminSuspendUser" }), []);
      t.strictSame(await ids({ fromTs: 1_500 }), [second]);
      t.strictSame(await ids({ toTs: 1_500 }), [first]);
      const [open2, ended] = await auditLog.list(everything);
      t.match(ended, { begun: { ...begun, auditId: first }, ended: { ts: 1_001, outcome: "done" } });
      t.equal(open2?.ended, undefined);
    },
  );

  t.test("audit log: each hash is over the entry before as well", async (t) => {
    await using database = await open();
    const { auditLog } = database.stores;
    for (const target of ["a", "b", "c"]) await auditLog.add({ ...begun, target });
    const entries = await auditLog.entries(0, 10);
    let before: Buffer | string = "";
    for (const entry of entries) {
      const expected: Buffer = createHash("sha256").update(before).update(auditHashText(entry)).digest();
      t.strictSame(Buffer.from(entry.hash), expected);
      before = expected;
    }
    t.equal(entries.length, 3);
    t.equal((await auditLog.entries(entries[0]?.auditId ?? 0, 1))[0]?.target, "b");
  });

  t.test("audit log: what is old enough goes, the oldest first; the newest stays", async (t) => {
    await using database = await open();
    const { auditLog } = database.stores;
    for (const ts of [1, 2, 3]) await auditLog.add({ ...begun, ts });
    t.equal(await auditLog.removeBefore(3, 1), 1);
    t.equal(await auditLog.removeBefore(10, 10), 1);
    t.strictSame(
      (await auditLog.entries(0, 10)).map(({ ts }) => ts),
      [3],
    );
    const next = await auditLog.add(begun);
    t.equal(next, 4, "no ID is used twice");
  });

  t.test("audit log: what is young is not let go", async (t) => {
    await using database = await open();
    const { auditLog } = database.stores;
    const now = systemClock.nowMs();
    const young = now - keptForSureMs + 60_000;
    await auditLog.add({ ...begun, ts: young });
    await auditLog.add({ ...begun, ts: now });
    await t.rejects(auditLog.removeBefore(now, 10), /younger than 90 days/);
    t.equal((await auditLog.entries(0, 10)).length, 2);
  });
}
