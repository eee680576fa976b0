import t, { type Test } from "tap";
import { anonymous, registerGuest, registerUser, TestClient } from "../support/client.ts";
import { createRoom, join, type Json, leave, read, send, setState, sync } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";
import { until } from "../support/within.ts";

const server = await startServer({ delayed_events: { max_delay_ms: 1_000_000_000, max_per_user: 12 } });
t.teardown(() => server[Symbol.asyncDispose]());

const v3 = "/_matrix/client/v3";
const unstable = "/_matrix/client/unstable/org.matrix.msc4140";
const hour = 3_600_000;
let transactions = 0;

function sendPath(
  roomId: string,
  type = "m.room.message",
  transactionId = `delayed-${++transactions}`,
): string {
  return `${v3}/rooms/${encodeURIComponent(roomId)}/send/${type}/${transactionId}`;
}

function statePath(roomId: string, stateKey: string, type = "org.example.state"): string {
  return `${v3}/rooms/${encodeURIComponent(roomId)}/state/${type}/${encodeURIComponent(stateKey)}`;
}

function later(
  client: TestClient,
  path: string,
  delayMs: number | string,
  content: Json = { body: "later" },
) {
  return client.put(`${path}?org.matrix.msc4140.delay=${delayMs}`, content);
}

async function delay(client: TestClient, path: string, delayMs: number, content?: Json): Promise<string> {
  const { status, body } = await later(client, path, delayMs, content);
  if (status !== 200) throw new Error(`scheduling answered ${status}: ${JSON.stringify(body)}`);
  return String(body["delay_id"]);
}

function manage(client: TestClient, delayId: string, action: string, base = unstable) {
  return client.post(`${base}/delayed_events/${delayId}/${action}`, {});
}

async function scheduled(client: TestClient, query = ""): Promise<Json[]> {
  const { body } = await client.get(`${unstable}/delayed_events${query}`);
  return body["delayed_events"] as Json[];
}

async function look(client: TestClient, delayId: string): Promise<Json> {
  return (await client.get(`${unstable}/delayed_events/${delayId}`)).body;
}

async function ended(client: TestClient, delayId: string): Promise<Json> {
  let found: Json = {};
  await until(30_000, `the end of ${delayId}`, async () => {
    found = await look(client, delayId);
    return found["finalised_ts"] !== undefined;
  });
  return found;
}

async function userWithRoom(): Promise<{ user: TestClient; roomId: string }> {
  const user = await registerUser(server);
  return { user, roomId: await createRoom(user, { preset: "public_chat" }) };
}

t.test("sendMessage: a delayed message is sent when its time comes, as its sender's", async (t) => {
  const { user, roomId } = await userWithRoom();
  const other = await registerUser(server);
  await join(other, roomId);
  const path = sendPath(roomId);
  const delayId = await delay(user, path, 50, { body: "later" });
  t.match(await later(user, path, 50, {}), { status: 200, body: { delay_id: delayId } }, "the same request");
  const event = await ended(user, delayId);
  t.match(event, { delay_id: delayId, room_id: roomId, type: "m.room.message", content: { body: "later" } });
  const eventId = String(event["event_id"]);
  const own = await read(user, "getOneRoomEvent", roomId, `event/${encodeURIComponent(eventId)}`);
  const unsigned = { "org.matrix.msc4140.delay_id": delayId, delay_id: delayId };
  t.match(own.body, { sender: user.userId, content: { body: "later" }, unsigned });
  const theirs = await read(other, "getOneRoomEvent", roomId, `event/${encodeURIComponent(eventId)}`);
  t.notOk("delay_id" in (theirs.body["unsigned"] as Json), "nobody else learns of it");
  const synced = await sync(user);
  t.match(synced.room("join", roomId).timeline.events.at(-1), { event_id: eventId, unsigned });
  t.strictSame(await scheduled(user), []);
});

t.test("setRoomStateWithKey, setRoomState: delayed state replaces what is there by then", async (t) => {
  const { user, roomId } = await userWithRoom();
  const first = await delay(user, statePath(roomId, "key"), 50, { by: "delay" });
  const second = await delay(user, statePath(roomId, ""), 60, { by: "delay" });
  t.match((await ended(user, first))["event_id"], /^\$/);
  t.match((await ended(user, second))["event_id"], /^\$/);
  t.strictSame((await user.get(statePath(roomId, "key"))).body, { by: "delay" });
  t.strictSame((await user.get(statePath(roomId, ""))).body, { by: "delay" });
  const again = await delay(user, statePath(roomId, "key"), 50, { by: "delay" });
  t.equal((await ended(user, again))["event_id"], (await look(user, first))["event_id"], "it is what it was");
});

t.test("scheduleDelayedEvent: the proposal's own endpoint, under both its paths", async (t) => {
  const { user, roomId } = await userWithRoom();
  for (const base of [v3, unstable]) {
    const path = `${base}/rooms/${encodeURIComponent(roomId)}/delayed_event/org.example.x/own`;
    const body = { delay_ms: hour, content: { a: 1 } };
    const { body: answer } = await user.put(path, body);
    t.strictSame((await user.put(path, body)).body, answer, "repeated");
    const stateful = await user.put(`${path}2`, { ...body, state_key: "" });
    t.match(await look(user, String(stateful.body["delay_id"])), { state_key: "", delay_ms: hour });
    t.notOk("state_key" in (await look(user, String(answer["delay_id"]))));
  }
  const path = `${v3}/rooms/${encodeURIComponent(roomId)}/delayed_event/org.example.x/bad`;
  for (const body of [
    { content: {} },
    { delay_ms: 5 },
    { delay_ms: 0, content: {} },
    { delay_ms: 1, content: [] },
  ]) {
    t.match(
      await user.put(path, body),
      { status: 400, body: { errcode: "M_BAD_JSON" } },
      JSON.stringify(body),
    );
  }
  const long = await user.put(path, { delay_ms: 1_000_000_001, content: {} });
  t.match(long, { status: 403, body: { errcode: "M_FORBIDDEN" } });
  const huge = await user.put(path, { delay_ms: 1, content: { body: "x".repeat(65_536) } });
  t.match(huge, { status: 413, body: { errcode: "M_TOO_LARGE" } });
});

t.test(
  "sendMessage, setRoomStateWithKey: delays that are none, too long, or in rooms of others",
  async (t) => {
    const { user, roomId } = await userWithRoom();
    for (const bad of ["0", "-5", "soon", "1.5", ""]) {
      t.match(
        await later(user, sendPath(roomId), bad),
        { status: 400, body: { errcode: "M_INVALID_PARAM" } },
        bad,
      );
    }
    t.match(await later(user, statePath(roomId, ""), 1_000_000_001), {
      status: 400,
      body: {
        errcode: "M_UNKNOWN",
        "org.matrix.msc4140.errcode": "M_MAX_DELAY_EXCEEDED",
        "org.matrix.msc4140.max_delay": 1_000_000_000,
      },
    });
    const stranger = await registerUser(server);
    t.match(await later(stranger, sendPath(roomId), hour), { status: 403, body: { errcode: "M_FORBIDDEN" } });
    t.match(await later(user, sendPath("nonsense"), hour), {
      status: 400,
      body: { errcode: "M_INVALID_PARAM" },
    });
    t.match(await later(anonymous(server), sendPath(roomId), hour), { status: 401 });
    t.strictSame(await scheduled(user), []);
  },
);

t.test(
  "restartDelayedEvent, sendDelayedEvent, cancelDelayedEvent: with a token or with the ID alone",
  async (t) => {
    const { user, roomId } = await userWithRoom();
    const nobody = anonymous(server);
    const stranger = await registerUser(server);
    for (const who of [user, nobody]) {
      const path = () => statePath(roomId, `key-${++transactions}`);
      const [restarted, sent, cancelled] = [
        await delay(user, path(), hour),
        await delay(user, path(), hour),
        await delay(user, path(), hour),
      ];
      const before = (await look(user, restarted))["scheduled_at"] as number;
      t.match(await manage(who, restarted, "restart"), { status: 200, body: {} });
      t.ok(((await look(user, restarted))["scheduled_at"] as number) >= before);
      t.match(await manage(who, sent, "send"), { status: 200, body: {} });
      t.match((await look(user, sent))["event_id"], /^\$/);
      t.match(await manage(who, cancelled, "cancel"), { status: 200, body: {} });
      t.match(await look(user, cancelled), { finalised_ts: Number, event_id: undefined, error: undefined });
      t.match(await manage(who, sent, "send"), { status: 200 }, "done already");
      t.match(await manage(who, cancelled, "cancel"), { status: 200 }, "done already");
      for (const [delayId, action] of [
        [sent, "cancel"],
        [sent, "restart"],
        [cancelled, "send"],
        [cancelled, "restart"],
      ] as const) {
        const conflict = { status: 409, body: { errcode: "M_UNKNOWN" } };
        t.match(await manage(who, delayId, action, "/_matrix/client/v1"), conflict, action);
        const gone = { status: 404, body: { errcode: "M_NOT_FOUND" } };
        t.match(await manage(who, delayId, action), gone, `${action} of today's clients`);
      }
      t.match(await manage(user, restarted, "cancel"), { status: 200 });
    }
    const own = await delay(user, sendPath(roomId), hour);
    for (const action of ["restart", "send", "cancel"]) {
      const missing = { status: 404, body: { errcode: "M_NOT_FOUND" } };
      t.match(await manage(nobody, "abc", action), missing);
      t.match(await manage(stranger, own, action), missing, "somebody else's");
      const { userId, deviceId } = stranger;
      const bad = new TestClient(server, { userId, deviceId, accessToken: "wrong" });
      t.match(await manage(bad, own, action), { status: 401, body: { errcode: "M_UNKNOWN_TOKEN" } });
    }
    t.match(await manage(nobody, own, "oops"), { status: 404, body: { errcode: "M_UNRECOGNIZED" } });
    t.match(await look(stranger, own), { errcode: "M_NOT_FOUND" });
    t.equal((await scheduled(user)).length, 1);
  },
);

t.test("updateDelayedEvent: the action in the body", async (t) => {
  const { user, roomId } = await userWithRoom();
  const delayId = await delay(user, sendPath(roomId), hour);
  const path = `${unstable}/delayed_events/${delayId}`;
  t.match(await user.post(path, {}), { status: 400, body: { errcode: "M_BAD_JSON" } });
  t.match(await user.post(path, { action: "oops" }), { status: 400, body: { errcode: "M_BAD_JSON" } });
  t.match(await anonymous(server).post(path, { action: "restart" }), { status: 200, body: {} });
  t.match(await user.post(path, { action: "cancel" }), { status: 200, body: {} });
  t.strictSame(await scheduled(user), []);
});

t.test("sendDelayedEvent: an event that may not be sent now stays scheduled", async (t) => {
  const { user, roomId } = await userWithRoom();
  const member = await registerUser(server);
  await join(member, roomId);
  const delayId = await delay(member, statePath(roomId, ""), hour);
  t.match(await manage(member, delayId, "send"), { status: 403, body: { errcode: "M_FORBIDDEN" } });
  t.equal((await scheduled(member)).length, 1);
  const levels = await user.get(statePath(roomId, "", "m.room.power_levels"));
  const users = levels.body["users"] as Json | undefined;
  await user.put(statePath(roomId, "", "m.room.power_levels"), {
    ...levels.body,
    users: { ...users, [member.userId]: 50 },
  });
  t.match(await manage(member, delayId, "send"), { status: 200 }, "and can be once it may");
});

t.test("getDelayedEvent: why an event was not sent", async (t) => {
  const { roomId } = await userWithRoom();
  const member = await registerUser(server);
  await join(member, roomId);
  const delayId = await delay(member, sendPath(roomId), 300);
  await leave(member, roomId);
  const event = await ended(member, delayId);
  t.match(event, { error: { errcode: "M_FORBIDDEN", error: String }, event_id: undefined });
  t.match(await manage(member, delayId, "cancel"), { status: 200 }, "as good as cancelled");
});

t.test("getDelayedEvents: one's own, by the time at which they are to be sent", async (t) => {
  const { user, roomId } = await userWithRoom();
  const late = await delay(user, sendPath(roomId), 3 * hour);
  const early = await delay(user, statePath(roomId, "x"), hour);
  const ids = async (query?: string) => (await scheduled(user, query)).map((event) => event["delay_id"]);
  t.strictSame(await ids(), [early, late]);
  const [first] = await scheduled(user);
  t.match(first, {
    delay_id: early,
    room_id: roomId,
    type: "org.example.state",
    state_key: "x",
    delay_ms: hour,
    scheduled_at: Number,
    delay: hour,
    running_since: Number,
    content: { body: "later" },
  });
  await manage(user, early, "cancel");
  t.strictSame(await ids(), [late]);
  t.match(await anonymous(server).get(`${unstable}/delayed_events`), { status: 401 });
  t.strictSame(await ids("?org.matrix.msc4486.dir=f"), [early, late]);
  t.strictSame(await ids("?org.matrix.msc4486.dir=b"), [late, early]);
  t.strictSame(await ids("?org.matrix.msc4486.status=cancelled"), [early]);
  t.strictSame(await ids("?org.matrix.msc4486.type=m.room.message"), [late]);
  t.strictSame(await ids(`?org.matrix.msc4486.room_id=${encodeURIComponent("!other:hearth.test")}`), []);
  t.strictSame(await ids(`?org.matrix.msc4486.from_ts=${Date.now() + 2 * hour}`), [late]);
  t.strictSame(await ids(`?org.matrix.msc4486.to_ts=${Date.now() + 2 * hour}`), [early]);
  t.strictSame(await ids("?org.matrix.msc4486.from=0_0"), [early, late]);
  for (const bad of ["status=error", "dir=x", "from=x", "room_id=x", "from_ts=x", "to_ts=x"]) {
    const answer = await user.get(`${unstable}/delayed_events?org.matrix.msc4486.${bad}`);
    t.match(answer, { status: 400, body: { errcode: "M_INVALID_PARAM" } }, bad);
  }
});

t.test("sendMessage: a user has a bound, which ends when something is sent", async (t) => {
  const { user, roomId } = await userWithRoom();
  for (let count = 0; count < 12; count++) await delay(user, sendPath(roomId), hour + count * 1_000);
  const refused = await later(user, sendPath(roomId), hour);
  t.match(refused, { status: 429, body: { errcode: "M_LIMIT_EXCEEDED" } });
  const seconds = Number(refused.headers.get("Retry-After"));
  t.ok(seconds > 0 && seconds <= 3_600, `Retry-After: ${seconds}`);
  const [first] = await scheduled(user);
  await manage(user, String(first?.["delay_id"]), "cancel");
  t.equal((await later(user, sendPath(roomId), hour)).status, 200);
});

t.test("sendMessage: guests may schedule events", async (t) => {
  const { user, roomId } = await userWithRoom();
  await setState(user, roomId, "m.room.guest_access", { guest_access: "can_join" });
  const guest = await registerGuest(server);
  await join(guest, roomId);
  const delayId = await delay(guest, sendPath(roomId), hour);
  t.equal((await scheduled(guest)).length, 1);
  t.match(await manage(guest, delayId, "cancel"), { status: 200 });
});

t.test("redaction by /send: what is to disappear later", async (t) => {
  const { user, roomId } = await userWithRoom();
  const target = await send(user, roomId, "m.room.message", { body: "short-lived" });
  const delayId = await delay(user, sendPath(roomId, "m.room.redaction"), 50, { redacts: target });
  t.match((await ended(user, delayId))["event_id"], /^\$/);
  const { body } = await read(user, "getOneRoomEvent", roomId, `event/${encodeURIComponent(target)}`);
  t.strictSame(body["content"], {});
});

t.test("deactivateAccount: nothing more is sent for who is gone", async (t) => {
  const { user, roomId } = await userWithRoom();
  const delayId = await delay(user, sendPath(roomId), hour);
  const auth = {
    type: "m.login.password",
    identifier: { type: "m.id.user", user: user.userId },
    password: "correct horse battery staple",
  };
  t.equal((await user.post(`${v3}/account/deactivate`, { auth })).status, 200);
  t.match(await manage(anonymous(server), delayId, "send"), {
    status: 404,
    body: { errcode: "M_NOT_FOUND" },
  });
});

t.test("getCapabilities, getVersions: clients are told", async (t) => {
  const user = await registerUser(server);
  const { body } = await user.get(`${v3}/capabilities`, "getCapabilities");
  const limits = { max_delay_ms: 1_000_000_000, max_scheduled: 12 };
  t.match(body, {
    capabilities: { "m.delayed_events": limits, "org.matrix.msc4140.delayed_events": limits },
  });
  const versions = await user.get("/_matrix/client/versions", "getVersions");
  t.match(versions.body, { unstable_features: { "org.matrix.msc4140": true, "org.matrix.msc4486": true } });
});

t.test(
  "after a restart: what came due meanwhile is sent in order, the rest when its time comes",
  async (t) => {
    const own = await startServer();
    t.teardown(() => own[Symbol.asyncDispose]());
    const user = await registerUser(own, "alice");
    const roomId = await createRoom(user, {});
    const { since } = await position(user);
    for (const [body, delayMs] of [
      ["second", 400],
      ["first", 300],
      ["third", 500],
    ] as const) {
      await delay(user, sendPath(roomId), delayMs, { body });
    }
    const last = await delay(user, sendPath(roomId), hour);
    await own.restart();
    await until(30_000, "what came due", async () => (await scheduled(user)).length === 1);
    const { body } = await read(user, "getRoomEvents", roomId, "messages", { dir: "f", from: since });
    const bodies = (body["chunk"] as Json[]).map((event) => (event["content"] as Json)["body"]);
    t.strictSame(bodies, ["first", "second", "third"]);
    t.match((await scheduled(user))[0], { delay_id: last });
  },
);

async function position(user: TestClient): Promise<{ since: string }> {
  const { body } = await user.get(`${v3}/sync`, "sync");
  return { since: String(body["next_batch"]) };
}

t.test("sendMessage: a server that sends nothing later says so", async (t: Test) => {
  const own = await startServer({ delayed_events: { max_per_user: 0 } });
  t.teardown(() => own[Symbol.asyncDispose]());
  const user = await registerUser(own);
  const roomId = await createRoom(user, {});
  t.match(await later(user, sendPath(roomId), hour), { status: 403, body: { errcode: "M_FORBIDDEN" } });
});
