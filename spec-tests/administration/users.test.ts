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
import { createRoom, join } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

const admin = await registerAdmin(server, "zz-admin");
const v2 = "/_synapse/admin/v2/users";
const v1 = "/_synapse/admin/v1";
const whoami = "/_matrix/client/v3/account/whoami";
const user = (userId: string) => `${v2}/${encodeURIComponent(userId)}`;
const newPassword = "another long password";

function put(userId: string, body: object): Promise<TestAnswer> {
  return admin.put(user(userId), body);
}

async function actsOn(userId: string): Promise<Record<string, unknown>[]> {
  const answer = await admin.get(`/_hearth/admin/v1/audit_log?target=${encodeURIComponent(userId)}`);
  return answer.body["acts"] as Record<string, unknown>[];
}

t.test("adminPutUser, adminGetUser: makes an account with all that it is given", async (t) => {
  const made = await put("@made:hearth.test", {
    password: testPassword,
    displayname: "Made Up",
    avatar_url: "mxc://hearth.test/picture",
    threepids: [{ medium: "email", address: "Made@Example.org" }],
    external_ids: [{ auth_provider: "oidc-corp", external_id: "corp/1" }],
    admin: false,
    user_type: "bot",
  });
  t.equal(made.status, 201);
  const expected = {
    name: "@made:hearth.test",
    displayname: "Made Up",
    avatar_url: "mxc://hearth.test/picture",
    threepids: [{ medium: "email", address: "made@example.org", added_at: Number, validated_at: Number }],
    external_ids: [{ auth_provider: "oidc-corp", external_id: "corp/1" }],
    is_guest: false,
    admin: false,
    deactivated: false,
    erased: false,
    locked: false,
    suspended: false,
    user_type: "bot",
    appservice_id: null,
    last_seen_ts: null,
  };
  t.match(made.body, expected);
  t.ok(Math.abs(Number(made.body["creation_ts"]) - Date.now() / 1000) < 60, "in seconds");
  t.strictSame((await admin.get(user("@made:hearth.test"))).body, made.body);
  const made2 = await login(server, "made");
  t.equal((await made2.get(whoami)).status, 200);
  t.type((await admin.get(user("@made:hearth.test"))).body["last_seen_ts"], "number");
  t.match((await anonymous(server).get("/_matrix/client/v3/profile/@made:hearth.test")).body, {
    displayname: "Made Up",
  });
  t.match(await actsOn("@made:hearth.test"), [
    {
      actor: admin.userId,
      action: "adminPutUser",
      outcome: "done",
      request: { password: "(secret)" },
      before: null,
      after: { displayname: "Made Up" },
    },
  ]);
});

t.test("adminPutUser: an account without a password, whose name is what it is called", async (t) => {
  t.match(await put("@bare:hearth.test", {}), { status: 201, body: { displayname: "bare", threepids: [] } });
  await t.rejects(login(server, "bare"), /M_FORBIDDEN/);
});

t.test("adminPutUser: changes what is given, and nothing else", async (t) => {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  const roomId = await createRoom(bob, { preset: "public_chat" });
  await join(alice, roomId);
  t.equal((await put(alice.userId, { displayname: "Alice", avatar_url: "mxc://a/b" })).status, 200);
  const member = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state/m.room.member/${alice.userId}`;
  t.match((await bob.get(member)).body, { displayname: "Alice", avatar_url: "mxc://a/b" });
  t.match(await put(alice.userId, { user_type: "support" }), {
    status: 200,
    body: { displayname: "Alice", avatar_url: "mxc://a/b", user_type: "support" },
  });
  t.match((await put(alice.userId, { displayname: "", user_type: null })).body, {
    displayname: null,
    avatar_url: "mxc://a/b",
    user_type: null,
  });
  t.match((await actsOn(alice.userId))[0], {
    before: { displayname: "Alice", user_type: "support" },
    after: { displayname: null, user_type: null },
  });
  t.equal((await alice.get(whoami)).status, 200, "still signed in");
});

t.test("adminPutUser: a password, with and without an end of the sessions", async (t) => {
  const alice = await registerUser(server);
  t.equal((await put(alice.userId, { password: newPassword, logout_devices: false })).status, 200);
  t.equal((await alice.get(whoami)).status, 200);
  await t.rejects(login(server, alice), /M_FORBIDDEN/);
  const again = await login(server, alice, { password: newPassword });
  t.equal((await put(alice.userId, { password: testPassword })).status, 200);
  t.equal((await again.get(whoami)).status, 401);
  t.ok(await login(server, alice));
});

t.test("adminPutUser: administrators come and go, but not oneself", async (t) => {
  const alice = await registerUser(server);
  t.match((await put(alice.userId, { admin: true })).body, { admin: true });
  t.equal((await alice.get(v2)).status, 200);
  t.match((await put(alice.userId, { admin: false })).body, { admin: false });
  t.equal((await alice.get(v2)).status, 403);
  t.match(await put(admin.userId, { admin: false }), { status: 400 });
  t.match(await put(admin.userId, { admin: true, locked: false }), { status: 200, body: { admin: true } });
});

t.test("adminPutUser: locked, deactivated, and back", async (t) => {
  const alice = await registerUser(server);
  t.match((await put(alice.userId, { locked: true })).body, { locked: true });
  t.match((await alice.get(whoami)).body, { errcode: "M_USER_LOCKED" });
  t.match((await put(alice.userId, { locked: false })).body, { locked: false });
  t.equal((await alice.get(whoami)).status, 200);
  t.match((await put(alice.userId, { deactivated: true })).body, { deactivated: true, erased: false });
  t.match((await alice.get(whoami)).body, { errcode: "M_UNKNOWN_TOKEN" });
  t.equal((await put(alice.userId, { password: newPassword })).status, 400);
  t.match((await put(alice.userId, { deactivated: false, password: newPassword })).body, {
    deactivated: false,
  });
  t.ok(await login(server, alice, { password: newPassword }));
  t.match(await put(admin.userId, { locked: true }), { status: 403 });
});

t.test("adminPutUser: addresses and external IDs belong to one user", async (t) => {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  const email = { medium: "email", address: "alice@example.org" };
  const phone = { medium: "msisdn", address: "447470274584" };
  const corp = { auth_provider: "oidc-corp", external_id: "alice" };
  t.match((await put(alice.userId, { threepids: [email, phone], external_ids: [corp] })).body, {
    threepids: [email, phone],
    external_ids: [corp],
  });
  t.match(await put(bob.userId, { threepids: [email] }), {
    status: 400,
    body: { errcode: "M_THREEPID_IN_USE" },
  });
  t.match(await put(bob.userId, { external_ids: [corp] }), { status: 409 });
  t.match(await put("@late:hearth.test", { external_ids: [corp] }), { status: 409 });
  t.equal((await admin.get(user("@late:hearth.test"))).status, 404);
  t.match((await put(alice.userId, { threepids: [phone], external_ids: [] })).body, {
    threepids: [phone],
    external_ids: [],
  });
  t.equal((await put(bob.userId, { threepids: [email], external_ids: [corp] })).status, 200);
});

t.test("adminPutUser: what is wrong changes nothing", async (t) => {
  const alice = await registerUser(server);
  const cases: readonly [string, object, string][] = [
    [alice.userId, { displayname: "No", user_type: "king" }, "M_INVALID_PARAM"],
    [alice.userId, { displayname: "No", password: "short" }, "M_WEAK_PASSWORD"],
    [alice.userId, { displayname: "No", avatar_url: "https://example.org/picture" }, "M_BAD_JSON"],
    [alice.userId, { displayname: "No", deactivated: true, locked: true }, "M_INVALID_PARAM"],
    [alice.userId, { displayname: "No", threepids: [{ medium: "email", address: "no" }] }, "M_INVALID_PARAM"],
    [alice.userId, { displayname: "No", threepids: [{ medium: "email" }] }, "M_BAD_JSON"],
    [alice.userId, { displayname: "No", external_ids: [{ external_id: "x" }] }, "M_BAD_JSON"],
    [alice.userId, { displayname: "x".repeat(300) }, "M_BAD_JSON"],
    [alice.userId, { displayname: "No", admin: "yes" }, "M_BAD_JSON"],
    ["@nobody:hearth.test", { password: "short" }, "M_WEAK_PASSWORD"],
    ["@nobody:hearth.test", { avatar_url: "https://example.org/picture" }, "M_BAD_JSON"],
    ["@nobody:hearth.test", { locked: true }, "M_INVALID_PARAM"],
    ["@Nobody:hearth.test", {}, "M_INVALID_USERNAME"],
    ["@no body:hearth.test", {}, "M_INVALID_USERNAME"],
    ["@alice:elsewhere.test", {}, "M_INVALID_PARAM"],
    ["alice", {}, "M_INVALID_PARAM"],
  ];
  for (const [userId, body, errcode] of cases) {
    t.match(await put(userId, body), { status: 400, body: { errcode } }, `${userId} ${JSON.stringify(body)}`);
  }
  t.not((await admin.get(user(alice.userId))).body["displayname"], "No");
  t.match(await admin.get(user("@nobody:hearth.test")), { status: 404, body: { errcode: "M_NOT_FOUND" } });
  t.equal((await admin.get(user("@alice:elsewhere.test"))).status, 400);
});

t.test("adminListUsers, adminListUsersByState: filters, order and pages", async (t) => {
  await using other = await startServer();
  const lister = await registerAdmin(other, "admin");
  for (const name of ["anna", "berta", "clara"]) await registerUser(other, name);
  const list = async (query: string, version = "v2") => {
    const { body } = await lister.get(`/_synapse/admin/${version}/users${query}`);
    const users = body["users"] as { name: string }[];
    const names = users.map(({ name }) => name.slice(1, name.indexOf(":"))).join(" ");
    return { names, total: body["total"], next: body["next_token"] };
  };
  await lister.post(`${v1}/deactivate/@clara:hearth.test`, {});
  await lister.put(`${v2}/@berta:hearth.test`, { displayname: "Bettina", locked: true });
  t.strictSame(await list(""), { names: "admin anna", total: 2, next: undefined });
  t.equal((await list("?deactivated=true&locked=true")).names, "admin anna berta clara");
  t.equal((await list("?locked=true&dir=b&order_by=name")).names, "berta anna admin");
  t.equal((await list("?name=TTIN&locked=true")).names, "berta");
  t.equal((await list("?user_id=ann")).names, "anna");
  t.equal((await list("?admins=true")).names, "admin");
  t.equal((await list("?admins=false")).names, "anna");
  t.equal((await list("?not_user_type=")).names, "");
  t.equal((await list("?not_user_type=bot&not_user_type=support")).names, "admin anna");
  t.equal((await list("?order_by=creation_ts&dir=b")).names, "anna admin");
  t.strictSame(await list("?limit=1"), { names: "admin", total: 2, next: "1" });
  t.strictSame(await list("?limit=1&from=1"), { names: "anna", total: 2, next: undefined });
  t.equal((await list("?locked=true", "v3")).names, "admin anna berta clara");
  t.equal((await list("?deactivated=true", "v3")).names, "clara");
  t.equal((await list("?deactivated=false", "v3")).names, "admin anna");
  const { body } = await lister.get(`${v2}?name=bettina&locked=true`);
  t.match(body["users"], [
    {
      name: "@berta:hearth.test",
      displayname: "Bettina",
      avatar_url: null,
      is_guest: false,
      admin: false,
      user_type: null,
      deactivated: false,
      erased: false,
      locked: true,
      creation_ts: Number,
    },
  ]);
  for (const query of ["order_by=size", "dir=x", "limit=-1", "from=x", "guests=perhaps"]) {
    t.equal((await lister.get(`${v2}?${query}`)).status, 400, query);
  }
});

t.test("adminDeactivateUser: all is gone, and erased when it is wished, even later", async (t) => {
  const alice = await registerUser(server);
  const path = `${v1}/deactivate/${alice.userId}`;
  t.strictSame((await admin.post(path, {})).body, { id_server_unbind_result: "success" });
  t.match((await alice.get(whoami)).body, { errcode: "M_UNKNOWN_TOKEN" });
  await t.rejects(login(server, alice), /M_FORBIDDEN/);
  t.equal((await admin.post(path, { erase: true })).status, 200);
  t.match((await admin.get(user(alice.userId))).body, { deactivated: true, erased: true, displayname: null });
  await admin.post(path, {});
  t.match((await admin.get(user(alice.userId))).body, { erased: true });
  t.match((await actsOn(alice.userId)).at(-1), {
    action: "adminDeactivateUser",
    before: { deactivated: false },
    after: { deactivated: true },
  });
  t.equal((await admin.post(path, { erase: "yes" })).status, 400);
  t.equal((await admin.post(`${v1}/deactivate/@nobody:hearth.test`, {})).status, 404);
});

t.test("adminResetPassword", async (t) => {
  const alice = await registerUser(server);
  const path = `${v1}/reset_password/${alice.userId}`;
  const kept = await admin.post(path, { new_password: newPassword, logout_devices: false });
  t.strictSame([kept.status, kept.body], [200, {}]);
  t.equal((await alice.get(whoami)).status, 200);
  t.equal((await admin.post(path, { new_password: testPassword })).status, 200);
  t.equal((await alice.get(whoami)).status, 401);
  t.ok(await login(server, alice));
  t.match((await actsOn(alice.userId))[0], { request: { new_password: "(secret)" } });
  t.match((await admin.post(path, { new_password: "short" })).body, { errcode: "M_WEAK_PASSWORD" });
  t.match((await admin.post(path, {})).body, { errcode: "M_BAD_JSON" });
  await admin.post(`${v1}/deactivate/${alice.userId}`, {});
  t.equal((await admin.post(path, { new_password: newPassword })).status, 400);
});

t.test("adminGetUserIsAdmin, adminSetUserIsAdmin", async (t) => {
  const alice = await registerUser(server);
  const path = `${v1}/users/${alice.userId}/admin`;
  t.strictSame((await admin.get(path)).body, { admin: false });
  t.strictSame((await admin.put(path, { admin: true })).body, {});
  t.strictSame((await alice.get(path)).body, { admin: true });
  t.equal((await alice.put(path, { admin: false })).status, 400);
  t.strictSame((await admin.put(path, { admin: false })).body, {});
  t.equal((await alice.get(path)).status, 403);
  t.match((await actsOn(alice.userId))[0], { before: { admin: true }, after: { admin: false } });
});

t.test("adminSuspendUser", async (t) => {
  const alice = await registerUser(server);
  const path = `${v1}/suspend/${alice.userId}`;
  t.strictSame((await admin.put(path, { suspend: true })).body, { [`user_${alice.userId}_suspended`]: true });
  t.match((await admin.get(user(alice.userId))).body, { suspended: true });
  t.match((await alice.post("/_matrix/client/v3/createRoom", {})).body, { errcode: "M_USER_SUSPENDED" });
  await admin.put(path, { suspend: false });
  t.equal((await alice.post("/_matrix/client/v3/createRoom", {})).status, 200);
});

t.test("adminGetUsernameAvailability: though nobody may register", async (t) => {
  await using closed = await startServer({
    registration: { mode: "closed", shared_secret: "test secret" },
  });
  const asker = await registerAdmin(closed);
  const ask = (name: string) => asker.get(`${v1}/username_available?username=${encodeURIComponent(name)}`);
  t.strictSame((await ask("free")).body, { available: true });
  await asker.put(`${v2}/@taken:hearth.test`, {});
  t.match(await ask("taken"), { status: 400, body: { errcode: "M_USER_IN_USE" } });
  t.match(await ask("no spaces"), { status: 400, body: { errcode: "M_INVALID_USERNAME" } });
});

t.test("adminFindUserByContact, adminFindUserByExternalId", async (t) => {
  const alice = await registerUser(server);
  await put(alice.userId, {
    threepids: [{ medium: "email", address: "found@example.org" }],
    external_ids: [{ auth_provider: "oidc-corp", external_id: "a/b@c" }],
  });
  const known = { status: 200, body: { user_id: alice.userId } };
  const unknown = { status: 404, body: { errcode: "M_NOT_FOUND" } };
  t.match(await admin.get(`${v1}/threepid/email/users/${encodeURIComponent("found@EXAMPLE.org")}`), known);
  t.match(await admin.get(`${v1}/threepid/email/users/nobody%40example.org`), unknown);
  t.match(await admin.get(`${v1}/auth_providers/oidc-corp/users/a%2Fb%40c`), known);
  t.match(await admin.get(`${v1}/auth_providers/other/users/a%2Fb%40c`), unknown);
  t.equal((await admin.get(`${v1}/threepid/pigeon/users/1`)).status, 400);
});

t.test("adminListUsers, adminGetUser, adminPutUser ...: for administrators only", async (t) => {
  const alice = await registerUser(server);
  const ask = (client: TestClient) => [
    client.get(v2),
    client.get("/_synapse/admin/v3/users"),
    client.get(user(alice.userId)),
    client.put(user(alice.userId), { admin: true }),
    client.post(`${v1}/deactivate/${alice.userId}`, {}),
    client.post(`${v1}/reset_password/${alice.userId}`, { new_password: newPassword }),
    client.get(`${v1}/users/${alice.userId}/admin`),
    client.put(`${v1}/users/${alice.userId}/admin`, { admin: true }),
    client.put(`${v1}/suspend/${alice.userId}`, { suspend: true }),
    client.get(`${v1}/username_available?username=x`),
    client.get(`${v1}/threepid/email/users/x`),
    client.get(`${v1}/auth_providers/x/users/x`),
  ];
  for (const answer of await Promise.all(ask(alice))) {
    t.match(answer, { status: 403, body: { errcode: "M_FORBIDDEN" } });
  }
  for (const { status } of await Promise.all(ask(anonymous(server)))) t.equal(status, 401);
  t.match((await admin.get(user(alice.userId))).body, { admin: false, deactivated: false, suspended: false });
});
