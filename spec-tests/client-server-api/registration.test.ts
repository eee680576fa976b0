import t from "tap";
import { configFrom } from "../../src/config/load.ts";
import { openAdminTools } from "../../src/server.ts";
import { openSqliteDatabase } from "../../src/storage/sqlite/open.ts";
import { createLogTo } from "../../src/telemetry/log.ts";
import { anonymous, login, registerUser, type TestAnswer, testPassword } from "../support/client.ts";
import { startServer, type TestServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

const path = "/_matrix/client/v3/register";
const dummy = { type: "m.login.dummy" };
const password = "correct horse battery staple";

function register(on: TestServer, body: object): Promise<TestAnswer> {
  return anonymous(on).post(path, body, "register");
}

t.test("register, getTokenOwner: an account with a device that is logged in", async (t) => {
  const asked = { auth: dummy, username: "anna", password, device_id: "PHONE" };
  const { status, body } = await register(server, { ...asked, initial_device_display_name: "Anna's phone" });
  t.equal(status, 200);
  t.match(body, { user_id: "@anna:hearth.test", device_id: "PHONE", access_token: String });
  t.notOk("refresh_token" in body);
  const anna = await login(server, "anna");
  const owner = await anna.get("/_matrix/client/v3/account/whoami", "getTokenOwner");
  t.strictSame(owner.body, { user_id: "@anna:hearth.test", device_id: anna.deviceId, is_guest: false });
  const { body: devices } = await anna.get("/_matrix/client/r0/devices/PHONE", "getDevice");
  t.match(devices, { display_name: "Anna's phone" });
  const profile = await anna.get("/_matrix/client/v3/profile/@anna:hearth.test");
  t.match(profile.body, { displayname: "anna" });
});

t.test("register: the server chooses what the client leaves open", async (t) => {
  const { body } = await register(server, { auth: dummy, password });
  t.match(body["user_id"], /^@[0-9a-f]{16}:hearth\.test$/);
  t.match(body["device_id"], /^[A-Z]{10}$/);
  const quiet = await register(server, { auth: dummy, username: "bob", password, inhibit_login: true });
  t.equal(quiet.status, 200);
  t.equal(quiet.body["user_id"], "@bob:hearth.test");
  t.notOk("access_token" in quiet.body);
  t.notOk("device_id" in quiet.body);
  const refreshing = await register(server, { auth: dummy, username: "eve", password, refresh_token: true });
  t.match(refreshing.body, { refresh_token: String, expires_in_ms: Number });
});

t.test("register: interactive authentication, the request being remembered", async (t) => {
  const asked = { username: "carla", password, device_id: "PHONE" };
  const demand = await register(server, asked);
  t.equal(demand.status, 401);
  t.match(demand.body, { flows: [{ stages: ["m.login.dummy"] }], params: {}, session: String });
  const { session } = demand.body;
  const { status, body } = await register(server, { auth: { ...dummy, session } });
  t.equal(status, 200);
  t.match(body, { user_id: "@carla:hearth.test", device_id: "PHONE" });
  const again = await register(server, { auth: { ...dummy, session } });
  t.equal(again.status, 401, "the session is over");
  t.match(again.body, { errcode: "M_UNKNOWN", session: String });
  const nameless = await register(server, { auth: dummy });
  t.equal(nameless.status, 400, "a password is needed in the end");
  t.equal(nameless.body["errcode"], "M_MISSING_PARAM");
});

t.test("register: usernames in lower case, of the grammar's characters", async (t) => {
  for (const [username, userId] of [
    ["Carol", "@carol:hearth.test"],
    ["a-b_c.d=e/f+g", "@a-b_c.d=e/f+g:hearth.test"],
    ["123", "@123:hearth.test"],
  ]) {
    t.equal((await register(server, { auth: dummy, username, password })).body["user_id"], userId);
  }
  for (const username of ["with space", "ünï", "co:lon", "@sigil", "", "x".repeat(250)]) {
    const { status, body } = await register(server, { username, password });
    t.equal(status, 400, username);
    t.equal(body["errcode"], "M_INVALID_USERNAME");
  }
});

t.test("register: what cannot be is told before authentication", async (t) => {
  await registerUser(server, "dora");
  const cases: [object, string][] = [
    [{ username: "dora", password }, "M_USER_IN_USE"],
    [{ username: "DORA", password }, "M_USER_IN_USE"],
    [{ username: "boris", password: "short" }, "M_WEAK_PASSWORD"],
    [{ username: 5, password }, "M_BAD_JSON"],
    [{ username: "boris", password, auth: "dummy" }, "M_BAD_JSON"],
    [{ username: "boris", password, inhibit_login: "yes" }, "M_BAD_JSON"],
  ];
  for (const [asked, errcode] of cases) {
    const { status, body } = await register(server, asked);
    t.equal(status, 400, JSON.stringify(asked));
    t.equal(body["errcode"], errcode);
  }
  const deviceId = await register(server, { auth: dummy, username: "boris", password, device_id: "" });
  t.equal(deviceId.body["errcode"], "M_INVALID_PARAM");
  const kind = await anonymous(server).post(`${path}?kind=robot`, {}, "register");
  t.equal(kind.status, 400);
});

t.test("register: two who want a name at once, and one who gets it", async (t) => {
  const asked = { auth: dummy, username: "emma", password };
  const answers = await Promise.all([1, 2, 3, 4].map(() => register(server, asked)));
  t.strictSame(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [200, 400, 400, 400],
  );
});

t.test("checkUsernameAvailability", async (t) => {
  await registerUser(server, "fred");
  const check = (username: string) =>
    anonymous(server).get(`${path}/available?username=${username}`, "checkUsernameAvailability");
  t.strictSame((await check("nobody-yet")).body, { available: true });
  t.match((await check("fred")).body, { errcode: "M_USER_IN_USE" });
  t.match((await check("b%20b")).body, { errcode: "M_INVALID_USERNAME" });
  const nothing = await anonymous(server).get(`${path}/available`, "checkUsernameAvailability");
  t.equal(nothing.status, 400);
});

t.test("register, registrationTokenValidity: closed", async (t) => {
  await using closed = await startServer({ registration: { mode: "closed" } });
  const { status, body } = await register(closed, { auth: dummy, username: "alice", password });
  t.equal(status, 403);
  t.equal(body["errcode"], "M_FORBIDDEN");
  const validity = "/_matrix/client/v1/register/m.login.registration_token/validity?token=a";
  t.equal((await anonymous(closed).get(validity, "registrationTokenValidity")).status, 403);
  const guest = await anonymous(closed).post(`${path}?kind=guest`, {}, "register");
  t.equal(guest.status, 403);
});

t.test("register, registrationTokenValidity: by token", async (t) => {
  await using guarded = await startServer({ registration: { mode: "token" } });
  // Another process makes the token while the server runs.
  await using database = await openSqliteDatabase(
    guarded.folder,
    () => undefined,
    () => undefined,
  );
  const token = { token: "sesame", usesAllowed: 1, uses: 0, expiresTs: null, createdTs: 1 };
  await database.stores.registrationTokens.create(token, 10);
  const validity = async (name: string) => {
    const url = `/_matrix/client/v1/register/m.login.registration_token/validity?token=${name}`;
    return (await anonymous(guarded).get(url, "registrationTokenValidity")).body["valid"];
  };
  t.equal(await validity("sesame"), true);
  t.equal(await validity("other"), false);
  const stage = { type: "m.login.registration_token", token: "sesame" };
  const asked = { username: "alice", password };
  const demand = await register(guarded, asked);
  t.match(demand.body, { flows: [{ stages: ["m.login.registration_token"] }] });
  const { session } = demand.body;
  for (const auth of [dummy, { ...stage, token: "other" }, { ...stage, token: 5 }]) {
    const refused = await register(guarded, { ...asked, auth: { ...auth, session } });
    t.equal(refused.status, 401);
    t.match(refused.body, { errcode: String, session });
  }
  t.equal((await register(guarded, { ...asked, auth: { ...stage, session } })).status, 200);
  t.equal(await validity("sesame"), false);
  const bob = await register(guarded, { username: "bob", password, auth: stage });
  t.equal(bob.status, 401);
  t.equal(bob.body["errcode"], "M_UNAUTHORIZED");
});

t.test("login: an account that the command line made while the server runs", async (t) => {
  await t.rejects(login(server, "gina"), /M_FORBIDDEN/);
  const config = configFrom({ server_name: "hearth.test", data_dir: server.folder }, server.folder);
  await using tools = await openAdminTools(config, createLogTo(process.stderr, "warn"));
  await tools.createUser({ localpart: "gina", password: testPassword, admin: true });
  const gina = await login(server, "gina");
  t.equal(gina.userId, "@gina:hearth.test");
  const { body } = await gina.get("/_matrix/client/v3/capabilities", "getCapabilities");
  t.match(body, { capabilities: { "m.account_moderation": { lock: true } } }, "gina is an administrator");
  await t.rejects(
    tools.createUser({ localpart: "gina", password: testPassword, admin: false }),
    { message: /taken/ },
    "no two of a name",
  );
});
