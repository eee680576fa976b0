import t from "tap";
import { registerAdmin, registerUser, type TestClient, testPassword } from "../support/client.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

const admin = await registerAdmin(server);
const auditLog = "/_hearth/admin/v1/audit_log";

function lock(by: TestClient, userId: string, locked: unknown) {
  return by.put(`/_matrix/client/v1/admin/lock/${encodeURIComponent(userId)}`, { locked });
}

async function acts(query: Record<string, string>) {
  const { status, body } = await admin.get(`${auditLog}?${new URLSearchParams(query).toString()}`);
  t.equal(status, 200);
  return body["acts"] as Record<string, unknown>[];
}

t.test("adminListAuditLog: who, when, from where, what, before and after", async (t) => {
  const alice = await registerUser(server);
  const started = Date.now();
  t.equal((await lock(admin, alice.userId, true)).status, 200);
  const [act, ...others] = await acts({ target: alice.userId });
  t.strictSame(others, []);
  t.match(act, {
    actor: admin.userId,
    address: "127.0.0.1",
    action: "setAdminLockUser",
    target: alice.userId,
    request: { userId: alice.userId, locked: true },
    outcome: "done",
    before: { locked: false },
    after: { locked: true },
  });
  t.strictSame(Object.keys(act?.["after"] ?? {}), ["locked"], "only what changed");
  t.ok(Number(act?.["ts"]) >= started && Number(act?.["ended_ts"]) >= Number(act?.["ts"]));
});

t.test(
  "adminListAuditLog: what was refused is told too; what nobody was allowed to begin is not",
  async (t) => {
    const alice = await registerUser(server);
    const unknown = alice.userId.replace(/^@[^:]*/, "@nobody");
    t.equal((await lock(admin, unknown, true)).status, 404);
    t.match(await acts({ target: unknown }), [{ outcome: "refused", error: /^M_NOT_FOUND: / }]);
    t.equal((await lock(alice, admin.userId, true)).status, 403);
    t.equal((await lock(admin, alice.userId, "yes")).status, 400);
    t.strictSame(await acts({ target: admin.userId, action: "setAdminLockUser" }), []);
    t.strictSame(await acts({ target: alice.userId }), []);
  },
);

t.test("adminListAuditLog: pages, the newest first, by actor, action and time", async (t) => {
  const alice = await registerUser(server);
  const other = await registerAdmin(server);
  for (const locked of [true, false, true]) await lock(other, alice.userId, locked);
  const first = await admin.get(`${auditLog}?actor=${encodeURIComponent(other.userId)}&limit=2`);
  const page = first.body["acts"] as { id: number; ts: number; request: object }[];
  t.match(page, [{ request: { locked: true } }, { request: { locked: false } }]);
  const rest = await acts({ actor: other.userId, from: String(first.body["next_token"]) });
  t.equal(rest.length, 1);
  t.ok(Number(rest[0]?.["id"]) < Number(page[1]?.id));
  t.strictSame(await acts({ actor: other.userId, action: "setAdminSuspendUser" }), []);
  t.strictSame(await acts({ actor: other.userId, to_ts: String(Number(rest[0]?.["ts"]) - 1) }), []);
  t.equal((await admin.get(`${auditLog}?from=there`)).status, 400);
  t.equal((await admin.get(`${auditLog}?limit=0`)).status, 400);
});

t.test("adminListAuditLog: accounts made with the shared secret, without their passwords", async (t) => {
  const made = await registerAdmin(server);
  const listed = await acts({ target: made.userId });
  t.match(listed, [
    { actor: "shared secret", action: "adminRegister", request: { admin: true }, outcome: "done" },
  ]);
  t.notMatch(JSON.stringify(listed), new RegExp(testPassword));
});

t.test("adminCheckAuditLog: whether all of it is as it was written", async (t) => {
  const { status, body } = await admin.get(`${auditLog}/check`);
  t.equal(status, 200);
  t.match(body, { is_whole: true, first_wrong: null });
  t.ok(Number(body["entries"]) >= 2);
});

t.test("adminListAuditLog, adminCheckAuditLog: for administrators only", async (t) => {
  const alice = await registerUser(server);
  for (const path of [auditLog, `${auditLog}/check`]) {
    t.match(await alice.get(path), { status: 403, body: { errcode: "M_FORBIDDEN" } });
  }
});
