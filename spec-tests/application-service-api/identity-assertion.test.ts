import t from "tap";
import { appserviceConfig, TestAppservice } from "../support/appservice.ts";
import { anonymous, login, registerUser, TestClient } from "../support/client.ts";
import { makeCrossSigning, makeDevice } from "../support/keys.ts";
import { createRoom, join, say, sync, type TestEvent } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";
import { until } from "../support/within.ts";
import { oneList, slidingSync } from "../support/sliding-sync.ts";

// Application service API, "Client-Server API Extensions".

const v3 = "/_matrix/client/v3";
const bridge = await TestAppservice.start({
  users: [
    { regex: "@_bridge_.*", exclusive: true },
    { regex: "@(alice|lowercase):hearth\\.test$", exclusive: false },
  ],
  aliases: [{ regex: "#_bridge_.*", exclusive: true }],
});
const other = await TestAppservice.start({ id: "other", aliases: [{ regex: "#other_.*", exclusive: true }] });
const server = await startServer(await appserviceConfig(t, bridge, other));
t.teardown(async () => {
  await server[Symbol.asyncDispose]();
  for (const appservice of [bridge, other]) await appservice.close();
});
const alice = await registerUser(server, "alice");
const carol = await registerUser(server, "carol");
const bob = await bridge.user(server, "_bridge_bob");

t.test("getTokenOwner: its own user, one of its users, nobody else", async (t) => {
  const whoami = `${v3}/account/whoami`;
  const bare = new TestClient(server, { userId: "", deviceId: "", accessToken: bridge.asToken });
  const own = await bare.get(whoami, "getTokenOwner");
  t.strictSame(
    own.body,
    { user_id: bridge.senderId, is_guest: false },
    "it is there without being registered",
  );
  t.equal((await bob.get(whoami, "getTokenOwner")).body["user_id"], bob.userId);
  const asAlice = await bridge.as(server, alice.userId).get(whoami, "getTokenOwner");
  t.equal(asAlice.body["user_id"], alice.userId, "also where the namespace is shared");
  for (const userId of [
    carol.userId,
    "@_bridge_nobody:hearth.test",
    "@_bridge_bob:elsewhere.test",
    "bob",
    "",
  ]) {
    const { status, body } = await bridge.as(server, userId).get(whoami, "getTokenOwner");
    t.match({ status, body }, { status: 403, body: { errcode: "M_FORBIDDEN" } }, userId);
  }
  const asserted = await alice.get(`${whoami}?user_id=${encodeURIComponent(carol.userId)}`, "getTokenOwner");
  t.equal(asserted.body["user_id"], alice.userId, "users' tokens are their own");
});

t.test("register: users without passwords, within the namespaces", async (t) => {
  const type = "m.login.application_service";
  const register = (client: TestClient, body: object) =>
    client.post(`${v3}/register`, { type, ...body }, "register");
  const made = await register(bridge.as(server), { username: "_bridge_dave", device_id: "D" });
  t.match(made, { status: 200, body: { user_id: "@_bridge_dave:hearth.test", device_id: "D" } });
  const dave = new TestClient(server, {
    userId: "@_bridge_dave:hearth.test",
    deviceId: "D",
    accessToken: String(made.body["access_token"]),
  });
  t.match((await dave.get(`${v3}/account/whoami`)).body, { user_id: dave.userId, device_id: "D" });
  const profile = await dave.get(`${v3}/profile/${encodeURIComponent(dave.userId)}`);
  t.equal(profile.body["displayname"], "_bridge_dave");
  const inhibited = await register(bridge.as(server), { username: "_bridge_Erin", inhibit_login: true });
  t.strictSame(
    inhibited.body,
    { user_id: "@_bridge_Erin:hearth.test", home_server: "hearth.test" },
    "capitals of bridges' users stay",
  );
  for (const [client, body, status, errcode] of [
    [bridge.as(server), { username: "_bridge_dave" }, 400, "M_USER_IN_USE"],
    [bridge.as(server), { username: "stranger" }, 400, "M_EXCLUSIVE"],
    [bridge.as(server), { username: "_other_user" }, 400, "M_EXCLUSIVE"],
    [bridge.as(server), { username: "_bridge_a:b" }, 400, "M_INVALID_USERNAME"],
    [bridge.as(server), {}, 400, "M_MISSING_PARAM"],
    [anonymous(server), { username: "_bridge_x" }, 401, "M_MISSING_TOKEN"],
    [carol, { username: "_bridge_x" }, 401, "M_UNKNOWN_TOKEN"],
  ] as const) {
    // The description has no more than user-interactive authentication for this status.
    const operationId = status === 401 ? undefined : "register";
    const answer = await client.post(`${v3}/register`, { type, ...body }, operationId);
    t.match(
      { status: answer.status, body: answer.body },
      { status, body: { errcode } },
      JSON.stringify(body),
    );
  }
});

t.test(
  "register, checkUsernameAvailability: reserved names are M_EXCLUSIVE for everybody else",
  async (t) => {
    for (const username of ["_bridge_mallory", bridge.senderId.slice(1, bridge.senderId.indexOf(":"))]) {
      const auth = { type: "m.login.dummy" };
      const body = { username, password: "correct horse battery staple", auth };
      const answer = await anonymous(server).post(`${v3}/register`, body, "register");
      t.match(
        { status: answer.status, body: answer.body },
        { status: 400, body: { errcode: "M_EXCLUSIVE" } },
      );
      const path = `${v3}/register/available?username=${username}`;
      const available = await anonymous(server).get(path, "checkUsernameAvailability");
      t.match(available.body, { errcode: "M_EXCLUSIVE" });
    }
    const { userId } = await registerUser(server, "lowercase");
    t.equal(userId, "@lowercase:hearth.test", "a namespace that is not exclusive is for everybody");
  },
);

t.test("login: as its users, with its token", async (t) => {
  const flows = await anonymous(server).get(`${v3}/login`, "getLoginFlows");
  t.ok(JSON.stringify(flows.body).includes("m.login.application_service"));
  const logIn = (client: TestClient, user: string) =>
    client.post(
      `${v3}/login`,
      { type: "m.login.application_service", identifier: { type: "m.id.user", user } },
      "login",
    );
  for (const user of [bob.userId, "_bridge_bob"]) {
    const { status, body } = await logIn(bridge.as(server), user);
    t.match({ status, body }, { status: 200, body: { user_id: bob.userId, access_token: String } });
  }
  for (const [client, user, status, errcode] of [
    [bridge.as(server), carol.userId, 400, "M_EXCLUSIVE"],
    [bridge.as(server), "_bridge_unregistered", 403, "M_FORBIDDEN"],
    [other.as(server), bob.userId, 400, "M_EXCLUSIVE"],
    [anonymous(server), bob.userId, 401, "M_MISSING_TOKEN"],
    [carol, bob.userId, 401, "M_UNKNOWN_TOKEN"],
  ] as const) {
    const answer = await logIn(client, user);
    t.match({ status: answer.status, body: answer.body }, { status, body: { errcode } }, user);
  }
  await t.rejects(login(server, bob), /M_FORBIDDEN/, "there is no password");
});

t.test("updateDevice, deleteDevice, uploadKeys: devices that it makes, without logging in", async (t) => {
  const path = `${v3}/devices/BRIDGE`;
  const made = await bob.put(path, { display_name: "Bridge" }, "updateDevice");
  t.match({ status: made.status, body: made.body }, { status: 201, body: {} });
  t.equal((await bob.put(path, { display_name: "Renamed" }, "updateDevice")).status, 200);
  t.match((await bob.get(path, "getDevice")).body, { device_id: "BRIDGE", display_name: "Renamed" });
  const long = await bob.put(`${v3}/devices/${"x".repeat(300)}`, {}, "updateDevice");
  t.match({ status: long.status, body: long.body }, { status: 400, body: { errcode: "M_INVALID_PARAM" } });
  t.equal((await carol.put(`${v3}/devices/NEW`, {}, "updateDevice")).status, 404, "others cannot");
  const device = bridge.as(server, bob.userId, "BRIDGE");
  t.match((await device.get(`${v3}/account/whoami`)).body, { user_id: bob.userId, device_id: "BRIDGE" });
  const unstable = `${v3}/account/whoami?org.matrix.msc3202.device_id=BRIDGE`;
  t.equal((await bob.get(unstable)).body["device_id"], "BRIDGE");
  const unknown = await bridge.as(server, bob.userId, "NOPE").get(`${v3}/account/whoami`);
  t.match(
    { status: unknown.status, body: unknown.body },
    { status: 400, body: { errcode: "M_UNKNOWN_DEVICE" } },
  );
  const keys = makeDevice(device);
  const upload = { device_keys: keys.deviceKeys, one_time_keys: {} };
  t.equal((await device.post(`${v3}/keys/upload`, upload, "uploadKeys")).status, 200);
  const without = await bob.post(`${v3}/keys/upload`, upload, "uploadKeys");
  t.match(
    { status: without.status, body: without.body },
    { status: 400, body: { errcode: "M_MISSING_PARAM" } },
  );
  t.equal((await bob.delete(path, {}, "deleteDevice")).status, 200, "without further authentication");
  t.equal((await bob.get(path, "getDevice")).status, 404);
  await bob.put(`${v3}/devices/A`, {});
  const removed = await bob.post(`${v3}/delete_devices`, { devices: ["A"] }, "deleteDevices");
  t.equal(removed.status, 200);
});

t.test("uploadCrossSigningKeys: replaced without further authentication", async (t) => {
  const user = await bridge.user(server, "_bridge_signing");
  for (const attempt of ["first", "another"]) {
    const { body } = makeCrossSigning(user);
    const path = `${v3}/keys/device_signing/upload`;
    t.equal((await user.post(path, body, "uploadCrossSigningKeys")).status, 200, attempt);
  }
});

t.test("sendMessage, setRoomStateWithKey: at the time that it says", async (t) => {
  const room = await createRoom(bob, {}, alice);
  const path = `${v3}/rooms/${encodeURIComponent(room)}`;
  const sent = await bob.put(`${path}/send/m.room.message/t1?ts=1234567`, { body: "old", msgtype: "m.text" });
  const state = await bob.put(`${path}/state/m.room.topic/?ts=0`, { topic: "older" });
  const timeOf = async (answer: typeof sent) => {
    const event = await alice.get(`${path}/event/${encodeURIComponent(String(answer.body["event_id"]))}`);
    return (event.body as unknown as TestEvent).origin_server_ts;
  };
  t.equal(await timeOf(sent), 1_234_567);
  t.equal(await timeOf(state), 0);
  const users = await alice.put(`${path}/send/m.room.message/t1?ts=1234567`, {
    body: "now",
    msgtype: "m.text",
  });
  t.ok((await timeOf(users)) > 1_234_567, "for application services only");
  for (const ts of ["-1", "soon", "1.5"]) {
    const refused = await bob.put(`${path}/send/m.room.message/t2?ts=${ts}`, {
      body: "x",
      msgtype: "m.text",
    });
    t.match(
      { status: refused.status, body: refused.body },
      { status: 400, body: { errcode: "M_INVALID_PARAM" } },
    );
  }
});

t.test("sendMessage, scheduleDelayedEvent: later, at the time that it says", async (t) => {
  const room = await createRoom(bob, {}, alice);
  const path = `${v3}/rooms/${encodeURIComponent(room)}`;
  const first = await bob.put(`${path}/send/m.room.message/d1?ts=1234567&org.matrix.msc4140.delay=20`, {});
  const body = { delay_ms: 20, content: {} };
  const second = await bob.put(`${path}/delayed_event/m.room.message/d2?ts=1234567`, body);
  for (const { status, body: answer } of [first, second]) {
    t.equal(status, 200);
    const delayed = `/_matrix/client/v1/delayed_events/${String(answer["delay_id"])}`;
    await until(30_000, "a delayed event", async () => "event_id" in (await bob.get(delayed)).body);
    const sent = await bob.get(delayed);
    const event = await alice.get(`${path}/event/${encodeURIComponent(String(sent.body["event_id"]))}`);
    t.equal((event.body as unknown as TestEvent).origin_server_ts, 1_234_567);
    t.ok(Number(sent.body["finalised_ts"]) > 1_234_567);
  }
});

t.test("sync: its users can, by both kinds of sync", async (t) => {
  const room = await createRoom(bob, {}, alice);
  const first = await sync(bob);
  const filter = JSON.stringify({ room: { rooms: [room] }, presence: { limit: 0 } });
  const waiting = sync(bob, { since: first.nextBatch, timeout: 30_000, filter });
  // Wakes the wait for nothing that the filter lets pass.
  await createRoom(bob);
  const id = await say(alice, room, "hello");
  const second = await waiting;
  t.ok(second.find("join", room)?.timeline.events.some((event) => event.event_id === id));
  const answer = await slidingSync(bob, oneList({ timeline_limit: 1 }));
  t.ok(Object.keys(answer.rooms).includes(room));
});

t.test("setRoomAlias, deleteRoomAlias, createRoom: reserved aliases", async (t) => {
  const room = await createRoom(alice);
  const alias = (name: string) => `${v3}/directory/room/${encodeURIComponent(`#${name}:hearth.test`)}`;
  const exclusive = { status: 400, body: { errcode: "M_EXCLUSIVE" } };
  const refused = await alice.put(alias("_bridge_room"), { room_id: room }, "setRoomAlias");
  t.match({ status: refused.status, body: refused.body }, exclusive);
  const created = await alice.post(`${v3}/createRoom`, { room_alias_name: "_bridge_room" }, "createRoom");
  t.match({ status: created.status, body: created.body }, exclusive);
  t.equal(
    (await bob.put(alias("_bridge_room"), { room_id: room }, "setRoomAlias")).status,
    200,
    "in any room",
  );
  const foreign = await bob.put(alias("free"), { room_id: room }, "setRoomAlias");
  t.match({ status: foreign.status, body: foreign.body }, exclusive, "its own aliases only");
  const others = await other.as(server).put(alias("_bridge_two"), { room_id: room }, "setRoomAlias");
  t.match({ status: others.status, body: others.body }, exclusive);
  const kept = await alice.delete(alias("_bridge_room"), undefined, "deleteRoomAlias");
  t.match({ status: kept.status, body: kept.body }, exclusive);
  t.equal((await bob.delete(alias("_bridge_room"), undefined, "deleteRoomAlias")).status, 200);
  const own = await bob.post(`${v3}/createRoom`, { room_alias_name: "_bridge_own" }, "createRoom");
  t.equal(own.status, 200);
});

t.test("rate limits hold for users of application services that say so, never for their own", async (t) => {
  const slow = await TestAppservice.start({ id: "slow" });
  const fast = await TestAppservice.start({ id: "fast", more: { rate_limited: false } });
  t.teardown(async () => {
    for (const appservice of [slow, fast]) await appservice.close();
  });
  await using limited = await startServer({
    ...(await appserviceConfig(t, slow, fast)),
    rate_limits: { enabled: true },
  });
  const flood = async (client: TestClient) => {
    const path = `${v3}/join/${encodeURIComponent("!unknown:hearth.test")}`;
    const answers = Array.from({ length: 60 }, () => client.post(path, {}, "joinRoom"));
    return new Set((await Promise.all(answers)).map(({ status }) => status));
  };
  t.strictSame(await flood(await slow.user(limited, "_slow_user")), new Set([404, 429]));
  t.strictSame(await flood(slow.as(limited)), new Set([404]));
  t.strictSame(await flood(await fast.user(limited, "_fast_user")), new Set([404]));
  const registered = new Set<string>();
  for (let count = 0; count < 80; count++) {
    registered.add((await fast.user(limited, `_fast_user_${count}`)).userId);
  }
  t.equal(registered.size, 80, "registering is not limited either");
});

t.test("deactivateAccount: its users, without passwords; and nobody acts as them any more", async (t) => {
  const user = await bridge.user(server, "_bridge_gone");
  const room = await createRoom(alice);
  await join(user, room);
  t.equal((await user.post(`${v3}/account/deactivate`, {}, "deactivateAccount")).status, 200);
  const { status, body } = await user.get(`${v3}/account/whoami`);
  t.match({ status, body }, { status: 403, body: { errcode: "M_USER_DEACTIVATED" } });
});
