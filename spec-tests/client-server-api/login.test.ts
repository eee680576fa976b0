import t from "tap";
import {
  anonymous,
  login,
  passwordAuth,
  registerUser,
  type TestAnswer,
  testPassword,
} from "../support/client.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

const path = "/_matrix/client/v3/login";
const whoami = "/_matrix/client/v3/account/whoami";

function logIn(body: object): Promise<TestAnswer> {
  return anonymous(server).post(path, body, "login");
}

const password = { type: "m.login.password", password: testPassword };

t.test("getLoginFlows", async (t) => {
  const { body } = await anonymous(server).get(path, "getLoginFlows");
  t.strictSame(body, {
    flows: [{ type: "m.login.password" }, { type: "m.login.token", get_login_token: true }],
  });
});

t.test("login: a user is called by user ID or localpart, in either way", async (t) => {
  await registerUser(server, "alice");
  const named = [
    { identifier: { type: "m.id.user", user: "alice" } },
    { identifier: { type: "m.id.user", user: "@alice:hearth.test" } },
    { identifier: { type: "m.id.user", user: "Alice" } },
    { user: "alice" },
    { user: "@alice:hearth.test" },
  ];
  for (const who of named) {
    const { status, body } = await logIn({ ...password, ...who });
    t.equal(status, 200, JSON.stringify(who));
    t.match(body, { user_id: "@alice:hearth.test", well_known: { "m.homeserver": { base_url: String } } });
  }
});

t.test("login: wrong users and passwords cannot be told apart", async (t) => {
  await registerUser(server, "bert");
  const user = (name: string) => ({ identifier: { type: "m.id.user", user: name } });
  const attempts = [
    { ...password, ...user("bert"), password: "wrong password" },
    { ...password, ...user("nobody") },
    { ...password, ...user("@bert:elsewhere.test") },
    { ...password, ...user("not a name") },
  ];
  const answers = await Promise.all(attempts.map((attempt) => logIn(attempt)));
  for (const { status, body } of answers) {
    t.equal(status, 403);
    t.strictSame(body, answers[0]?.body);
    t.equal(body["errcode"], "M_FORBIDDEN");
  }
});

t.test("login: requests that cannot be understood", async (t) => {
  const identifier = { type: "m.id.user", user: "alice" };
  const cases: [object, number, string][] = [
    [{}, 400, "M_BAD_JSON"],
    [{ type: "m.login.riddle", identifier }, 400, "M_UNKNOWN"],
    [{ type: "m.login.password", identifier }, 400, "M_MISSING_PARAM"],
    [{ type: "m.login.token" }, 400, "M_MISSING_PARAM"],
    [password, 400, "M_MISSING_PARAM"],
    [{ ...password, identifier: "alice" }, 400, "M_BAD_JSON"],
    [{ ...password, identifier: { type: "m.id.riddle" } }, 400, "M_INVALID_PARAM"],
    [
      { ...password, identifier: { type: "m.id.thirdparty", medium: "email", address: "a@b.c" } },
      403,
      "M_FORBIDDEN",
    ],
    [{ type: "m.login.token", token: "made up" }, 403, "M_FORBIDDEN"],
  ];
  for (const [asked, status, errcode] of cases) {
    const answer = await logIn(asked);
    t.equal(answer.status, status, JSON.stringify(asked));
    t.equal(answer.body["errcode"], errcode);
  }
});

t.test("login: a device that logs in again keeps its name and loses its old token", async (t) => {
  const first = await registerUser(server, "cleo", { deviceId: "PHONE", deviceName: "Phone" });
  t.equal((await first.get(whoami)).status, 200);
  const second = await login(server, "cleo", { deviceId: "PHONE", deviceName: "Other" });
  t.equal(second.deviceId, "PHONE");
  const refused = await first.get(whoami, "getTokenOwner");
  t.equal(refused.status, 401);
  t.match(refused.body, { errcode: "M_UNKNOWN_TOKEN", soft_logout: false });
  const { body } = await second.get("/_matrix/client/v3/devices/PHONE", "getDevice");
  t.equal(body["display_name"], "Phone");
  const strange = await logIn({ ...password, user: "cleo", device_id: "x".repeat(256) });
  t.equal(strange.body["errcode"], "M_INVALID_PARAM");
});

t.test("getTokenOwner: tokens that are missing, malformed or unknown", async (t) => {
  const nobody = anonymous(server);
  t.match((await nobody.get(whoami, "getTokenOwner")).body, { errcode: "M_MISSING_TOKEN" });
  for (const [header, errcode] of [
    ["Bearer", "M_MISSING_TOKEN"],
    ["Basic YWxpY2U6cGFzcw==", "M_MISSING_TOKEN"],
    ["Bearer made-up", "M_UNKNOWN_TOKEN"],
  ] as const) {
    const answer = await nobody.call("getTokenOwner", "GET", whoami, undefined, { Authorization: header });
    t.equal(answer.status, 401, header);
    t.equal(answer.body["errcode"], errcode);
  }
});

t.test("generateLoginToken: after the password, for one login", async (t) => {
  const alice = await registerUser(server, "dana");
  const ask = (body: object) => alice.post("/_matrix/client/v1/login/get_token", body, "generateLoginToken");
  const demand = await ask({});
  t.equal(demand.status, 401);
  const { session } = demand.body;
  const { status, body } = await ask({ auth: { ...passwordAuth(alice), session } });
  t.equal(status, 200);
  t.match(body, { login_token: String, expires_in_ms: Number });
  t.equal((await ask({ auth: { session } })).status, 401, "each token is asked for anew");
  const asked = { type: "m.login.token", token: body["login_token"] };
  const loggedIn = await logIn(asked);
  t.equal(loggedIn.status, 200);
  t.equal(loggedIn.body["user_id"], alice.userId);
  t.equal((await logIn(asked)).status, 403);
});

t.test("logout, logout_all: tokens and devices end", async (t) => {
  const phone = await registerUser(server, "emil");
  const laptop = await login(server, phone);
  const tablet = await login(server, phone);
  t.equal((await phone.post("/_matrix/client/v3/logout", undefined, "logout")).status, 200);
  t.match((await phone.get(whoami)).body, { errcode: "M_UNKNOWN_TOKEN", soft_logout: false });
  const { body } = await laptop.get("/_matrix/client/v3/devices", "getDevices");
  const deviceIds = (body["devices"] as { device_id: string }[]).map((device) => device.device_id);
  t.strictSame(deviceIds.toSorted(), [laptop.deviceId, tablet.deviceId].toSorted());
  t.equal((await laptop.post("/_matrix/client/v3/logout/all", {}, "logout_all")).status, 200);
  for (const client of [laptop, tablet]) t.equal((await client.get(whoami)).status, 401);
  t.equal((await anonymous(server).post("/_matrix/client/v3/logout", {}, "logout")).status, 401);
  t.ok(await login(server, "emil"), "the account is still there");
});

t.test("login: sessions outlive the server's process", async (t) => {
  await using restarted = await startServer();
  const alice = await registerUser(restarted, "alice");
  await restarted.restart();
  t.equal((await alice.get(whoami)).body["user_id"], alice.userId);
});
