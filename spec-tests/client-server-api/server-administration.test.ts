import { createHmac } from "node:crypto";
import t from "tap";
import {
  anonymous,
  login,
  registerAdmin,
  registerUser,
  type TestAnswer,
  type TestClient,
  testPassword,
} from "../support/client.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

const whoami = "/_matrix/client/v3/account/whoami";
const admin = await registerAdmin(server);

function lock(by: TestClient, userId: string, locked: unknown): Promise<TestAnswer> {
  return by.put(`/_matrix/client/v1/admin/lock/${userId}`, { locked }, "setAdminLockUser");
}

function suspend(by: TestClient, userId: string, suspended: unknown): Promise<TestAnswer> {
  return by.put(`/_matrix/client/v1/admin/suspend/${userId}`, { suspended }, "setAdminSuspendUser");
}

t.test("setAdminLockUser, getAdminLockUser: a locked account can log out and nothing else", async (t) => {
  const alice = await registerUser(server);
  const path = `/_matrix/client/v1/admin/lock/${alice.userId}`;
  t.strictSame((await admin.get(path, "getAdminLockUser")).body, { locked: false });
  t.strictSame((await lock(admin, alice.userId, true)).body, { locked: true });
  t.strictSame((await admin.get(path, "getAdminLockUser")).body, { locked: true });
  const refused = await alice.get(whoami, "getTokenOwner");
  t.equal(refused.status, 401);
  t.match(refused.body, { errcode: "M_USER_LOCKED", soft_logout: true });
  await t.rejects(login(server, alice), /M_USER_LOCKED/);
  await lock(admin, alice.userId, false);
  t.equal((await alice.get(whoami)).status, 200, "the session is still there");
  await lock(admin, alice.userId, true);
  t.equal((await alice.post("/_matrix/client/v3/logout", {}, "logout")).status, 200);
  await lock(admin, alice.userId, false);
  t.match((await alice.get(whoami)).body, { errcode: "M_UNKNOWN_TOKEN" });
});

t.test("setAdminSuspendUser, getAdminSuspendUser", async (t) => {
  const alice = await registerUser(server);
  const path = `/_matrix/client/v1/admin/suspend/${alice.userId}`;
  t.strictSame((await suspend(admin, alice.userId, true)).body, { suspended: true });
  t.strictSame((await admin.get(path, "getAdminSuspendUser")).body, { suspended: true });
  t.equal((await alice.get(whoami)).status, 200);
  t.ok(await login(server, alice), "suspended accounts can log in");
  t.strictSame((await suspend(admin, alice.userId, false)).body, { suspended: false });
  t.strictSame((await admin.get(path, "getAdminSuspendUser")).body, { suspended: false });
});

t.test("setAdminLockUser, setAdminSuspendUser: who may do it to whom", async (t) => {
  const alice = await registerUser(server);
  const otherAdmin = await registerAdmin(server);
  for (const change of [lock, suspend]) {
    const cases: [TestClient, string, unknown, number, string][] = [
      [alice, "@nobody:hearth.test", true, 403, "M_FORBIDDEN"],
      [alice, admin.userId, true, 403, "M_FORBIDDEN"],
      [anonymous(server), alice.userId, true, 401, "M_MISSING_TOKEN"],
      [admin, admin.userId, true, 403, "M_FORBIDDEN"],
      [admin, otherAdmin.userId, true, 403, "M_FORBIDDEN"],
      [admin, "@nobody:hearth.test", true, 404, "M_NOT_FOUND"],
      [admin, "@alice:elsewhere.test", true, 400, "M_INVALID_PARAM"],
      [admin, "alice", true, 400, "M_INVALID_PARAM"],
      [admin, alice.userId, "yes", 400, "M_BAD_JSON"],
      [admin, alice.userId, undefined, 400, "M_BAD_JSON"],
    ];
    for (const [by, userId, value, status, errcode] of cases) {
      const answer = await change(by, userId, value);
      t.equal(answer.status, status, `${userId} ${String(value)}`);
      t.equal(answer.body["errcode"], errcode);
    }
  }
  t.equal((await alice.get(whoami)).status, 200);
});

t.test("getWhoIs: for oneself and for administrators", async (t) => {
  const alice = await registerUser(server, undefined, { deviceId: "PHONE" });
  const bob = await registerUser(server);
  const path = `/_matrix/client/v3/admin/whois/${alice.userId}`;
  const own = await alice.get(path, "getWhoIs");
  t.equal(own.status, 200);
  t.match(own.body, {
    user_id: alice.userId,
    devices: { PHONE: { sessions: [{ connections: [{ ip: "127.0.0.1", last_seen: Number }] }] } },
  });
  t.strictSame((await admin.get(path, "getWhoIs")).body, own.body);
  t.match((await bob.get(path, "getWhoIs")).body, { errcode: "M_FORBIDDEN" });
  const nobody = await admin.get("/_matrix/client/v3/admin/whois/@nobody:hearth.test", "getWhoIs");
  t.equal(nobody.status, 404);
});

t.test(
  "adminGetRegistrationNonce, adminRegister: whoever knows the shared secret makes accounts",
  async (t) => {
    const path = "/_synapse/admin/v1/register";
    const client = anonymous(server);
    const signed = async (username: string, kind: "admin" | "notadmin", secret = "test secret") => {
      const nonce = String((await client.get(path)).body["nonce"]);
      const mac = createHmac("sha1", secret)
        .update([nonce, username, testPassword, kind].join("\0"))
        .digest("hex");
      return { nonce, username, password: testPassword, mac };
    };
    const plain = await signed("plain", "notadmin");
    const made = await client.post(path, { ...plain, displayname: "Plain User" });
    t.equal(made.status, 200);
    t.match(made.body, { user_id: "@plain:hearth.test", access_token: String, home_server: "hearth.test" });
    t.match((await client.get("/_matrix/client/v3/profile/@plain:hearth.test")).body, {
      displayname: "Plain User",
    });
    const notAdmin = await login(server, "plain");
    t.equal((await lock(notAdmin, admin.userId, true)).status, 403);
    t.match((await client.post(path, plain)).body, { errcode: "M_UNKNOWN" }, "the nonce is used up");
    const forged = { ...(await signed("forged", "notadmin")), admin: true };
    t.match((await client.post(path, forged)).body, { errcode: "M_FORBIDDEN" });
    const guessed = await signed("guessed", "admin", "other secret");
    t.match((await client.post(path, { ...guessed, admin: true })).body, { errcode: "M_FORBIDDEN" });
    t.match((await client.post(path, await signed("plain", "notadmin"))).body, { errcode: "M_USER_IN_USE" });
    t.match((await client.post(path, { nonce: "x" })).body, { errcode: "M_BAD_JSON" });
  },
);

t.test("adminGetRegistrationNonce, adminRegister: not without a shared secret", async (t) => {
  await using without = await startServer({ registration: { mode: "open" } });
  const answer = await anonymous(without).get("/_synapse/admin/v1/register");
  t.equal(answer.status, 403);
});
