import t from "tap";
import {
  anonymous,
  login,
  passwordAuth,
  registerAdmin,
  registerUser,
  type TestClient,
} from "../support/client.ts";
import { startServer } from "../support/server.ts";
import { until } from "../support/within.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

const whoami = "/_matrix/client/v3/account/whoami";

function changePassword(client: TestClient, body: object) {
  return client.post("/_matrix/client/v3/account/password", body, "changePassword");
}

function deactivate(client: TestClient, body: object) {
  return client.post("/_matrix/client/v3/account/deactivate", body, "deactivateAccount");
}

t.test("changePassword: the new one counts, and other devices are logged out", async (t) => {
  const phone = await registerUser(server);
  const laptop = await login(server, phone);
  const demand = await changePassword(phone, { new_password: "another password" });
  t.equal(demand.status, 401);
  const auth = { ...passwordAuth(phone), session: demand.body["session"] };
  t.equal((await changePassword(phone, { auth })).status, 200);
  t.equal((await phone.get(whoami)).status, 200);
  t.equal((await laptop.get(whoami)).status, 401);
  await t.rejects(login(server, phone), "the old password");
  t.ok(await login(server, phone, { password: "another password" }));
});

t.test("changePassword: other devices stay when the user wishes so", async (t) => {
  const phone = await registerUser(server);
  const laptop = await login(server, phone);
  const wish = { new_password: "another password", logout_devices: false };
  t.equal((await changePassword(phone, { ...wish, auth: passwordAuth(phone) })).status, 200);
  t.equal((await laptop.get(whoami)).status, 200);
});

t.test("changePassword: what is refused", async (t) => {
  const alice = await registerUser(server);
  const cases: [object, string][] = [
    [{}, "M_BAD_JSON"],
    [{ new_password: 5 }, "M_BAD_JSON"],
    [{ new_password: "short" }, "M_WEAK_PASSWORD"],
    [{ new_password: "x".repeat(513) }, "M_INVALID_PARAM"],
    [{ new_password: "another password", logout_devices: "no" }, "M_BAD_JSON"],
  ];
  for (const [body, errcode] of cases) {
    const answer = await changePassword(alice, { ...body, auth: passwordAuth(alice) });
    t.equal(answer.status, 400, JSON.stringify(body).slice(0, 80));
    t.equal(answer.body["errcode"], errcode);
  }
  const wish = { new_password: "another password" };
  const nobody = await anonymous(server).post("/_matrix/client/v3/account/password", wish);
  t.equal(nobody.status, 401);
  t.match(nobody.body, { errcode: "M_MISSING_TOKEN" });
  t.ok(await login(server, alice));
});

t.test("deactivateAccount: the account ends for ever, and its name stays taken", async (t) => {
  const alice = await registerUser(server);
  const laptop = await login(server, alice);
  t.equal((await deactivate(alice, {})).status, 401);
  t.equal((await alice.get(whoami)).status, 200);
  const { status, body } = await deactivate(alice, { auth: passwordAuth(alice), erase: true });
  t.equal(status, 200);
  t.strictSame(body, { id_server_unbind_result: "success" });
  for (const client of [alice, laptop])
    t.match((await client.get(whoami)).body, { errcode: "M_UNKNOWN_TOKEN" });
  const nobody = anonymous(server);
  const again = { type: "m.login.password", user: alice.userId, password: "correct horse battery staple" };
  t.equal((await nobody.post("/_matrix/client/v3/login", again, "login")).status, 403);
  const localpart = alice.userId.slice(1, alice.userId.indexOf(":"));
  const available = await nobody.get(`/_matrix/client/v3/register/available?username=${localpart}`);
  t.equal(available.body["errcode"], "M_USER_IN_USE");
});

t.test("deactivateAccount: the user leaves rooms and turns invitations down", async (t) => {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  const create = async (body: object) => {
    const created = await bob.post("/_matrix/client/v3/createRoom", body, "createRoom");
    return encodeURIComponent(String(created.body["room_id"]));
  };
  const joined = await create({ preset: "public_chat" });
  await alice.post(`/_matrix/client/v3/join/${joined}`, {}, "joinRoom");
  const invited = await create({ invite: [alice.userId] });
  const membership = async (roomId: string) => {
    const path = `/_matrix/client/v3/rooms/${roomId}/state/m.room.member/${alice.userId}`;
    return (await bob.get(path)).body["membership"];
  };
  t.strictSame([await membership(joined), await membership(invited)], ["join", "invite"]);
  await deactivate(alice, { auth: passwordAuth(alice) });
  for (const roomId of [joined, invited]) {
    // It happens in the background.
    await until(10_000, "the user to leave", async () => (await membership(roomId)) === "leave");
  }
});

t.test("getCapabilities", async (t) => {
  const alice = await registerUser(server);
  const { status, body } = await alice.get("/_matrix/client/v3/capabilities", "getCapabilities");
  t.equal(status, 200);
  const capabilities = body["capabilities"] as Record<string, Record<string, unknown>>;
  t.match(capabilities, {
    "m.change_password": { enabled: true },
    "m.get_login_token": { enabled: true },
    "m.set_displayname": { enabled: true },
    "m.set_avatar_url": { enabled: true },
    "m.profile_fields": { enabled: true },
    "m.forget_forced_upon_leave": { enabled: false },
    "m.room_versions": { default: "12", available: { "1": "stable", "12": "stable" } },
  });
  t.notOk("m.account_moderation" in capabilities);
  const admin = await registerAdmin(server);
  const forAdmin = await admin.get("/_matrix/client/v3/capabilities", "getCapabilities");
  t.match(forAdmin.body, { capabilities: { "m.account_moderation": { suspend: true, lock: true } } });
  t.equal((await anonymous(server).get("/_matrix/client/v3/capabilities", "getCapabilities")).status, 401);
});
