import t, { type Test } from "tap";
import { anonymous, login, registerUser, type TestClient } from "../support/client.ts";
import { setTyping } from "../support/ephemeral.ts";
import { createRoom, type Json, moderate, read, say, setState, type TestEvent } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";
import {
  list as earlyList,
  type SlidingAnswer,
  type SlidingRoom,
  slidingSync,
} from "../support/sliding-sync.ts";
import { within } from "../support/within.ts";

// Simplified sliding sync in the form in which MSC4186 was merged. What it shares with the form of today's clients is
// tested there.

const path = "/_matrix/client/v4/sync";
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

async function syncV4(client: TestClient, body: Json): Promise<SlidingAnswer> {
  const { status, body: answer } = await client.post(path, body);
  if (status === 200) return answer as unknown as SlidingAnswer;
  throw new Error(`${status} ${JSON.stringify(answer)}`);
}

function lists(requiredState: Json = {}, further: Json = {}): Json {
  const all = { range: [0, 19], timeline_limit: 10, required_state: requiredState, ...further };
  return { lists: { all } };
}

function types(room: SlidingRoom | undefined): string[] {
  return (room?.required_state ?? []).map(({ type, state_key: key = "" }) => `${type}|${key}`).toSorted();
}

t.test("slidingSyncV4: rooms of a range, then what is new, by a pos in the body", async (t) => {
  const alice = await registerUser(server);
  const older = await createRoom(alice, { name: "Older" });
  const newer = await createRoom(alice, { name: "Newer" });
  const first = await syncV4(alice, lists({}, { range: [0, 0] }));
  t.strictSame(Object.keys(first.rooms), [newer]);
  t.match(first.rooms[newer], { initial: true, name: "Newer", membership: "join", lists: ["all"] });
  t.notOk(first.rooms[newer] && "notification_count" in first.rooms[newer], "the merged form has no counts");
  t.strictSame(first.lists, { all: { count: 2 } });
  const second = await syncV4(alice, { ...lists(), pos: first.pos });
  t.strictSame(Object.keys(second.rooms), [older], "the rest of a wider range");
  const waiting = syncV4(alice, { ...lists(), pos: second.pos, timeout: 60_000 });
  await say(alice, older, "news");
  const third = await within(30_000, "the message to arrive", waiting);
  t.match(third.rooms, { [older]: { timeline: [{ content: { body: "news" } }], num_live: 1 } });
  const whole = await syncV4(alice, { ...lists({}, { range: undefined }), conn_id: "other" });
  t.equal(Object.keys(whole.rooms).length, 2, "no range is the whole list");
});

t.test("slidingSyncV4: state by what is included and excluded, and members lazily", async (t) => {
  const [alice, bob, carol] = [
    await registerUser(server),
    await registerUser(server),
    await registerUser(server),
  ];
  const roomId = await createRoom(alice, { name: "State" }, bob, carol);
  await say(bob, roomId, "hello");
  let connections = 0;
  const chosen = async (requiredState: Json) => {
    connections += 1;
    const body = { ...lists(requiredState, { timeline_limit: 1 }), conn_id: `c${connections}` };
    return types((await syncV4(alice, body)).rooms[roomId]);
  };
  t.strictSame(await chosen({}), []);
  const create = { type: "m.room.create", state_key: "" };
  t.strictSame(await chosen({ include: [create] }), ["m.room.create|"]);
  const everything = await chosen({ include: [{}] });
  const members = [alice, bob, carol].map(({ userId }) => `m.room.member|${userId}`);
  for (const wanted of [...members, "m.room.create|", "m.room.name|"])
    t.ok(everything.includes(wanted), wanted);
  t.strictSame(
    await chosen({ include: [{}], exclude: [create, { type: "m.room.member" }] }),
    everything.filter((text) => !members.includes(text) && text !== "m.room.create|"),
  );
  t.strictSame(await chosen({ include: [{ state_key: bob.userId }] }), [`m.room.member|${bob.userId}`]);
  t.strictSame(await chosen({ lazy_members: true }), [`m.room.member|${bob.userId}`], "who has spoken");
  const always = { include: [{}, { type: "m.room.member", state_key: carol.userId }], lazy_members: true };
  const lazily = await chosen(always);
  t.strictSame(
    lazily.filter((text) => text.startsWith("m.room.member|")).toSorted(),
    [bob, carol].map(({ userId }) => `m.room.member|${userId}`).toSorted(),
  );
});

t.test("slidingSyncV4: subscriptions, wider rules and longer timelines", async (t) => {
  const alice = await registerUser(server);
  const roomId = await createRoom(alice);
  for (const text of ["1", "2", "3"]) await say(alice, roomId, text);
  const subscribe = (limit: number, include: Json[]) => ({
    room_subscriptions: { [roomId]: { timeline_limit: limit, required_state: { include } } },
  });
  const first = await syncV4(alice, subscribe(1, []));
  t.equal(first.rooms[roomId]?.timeline?.length, 1);
  t.strictSame(types(first.rooms[roomId]), []);
  const topic = { type: "m.room.topic" };
  await setState(alice, roomId, "m.room.topic", { topic: "Tea" });
  const second = await syncV4(alice, { ...subscribe(3, [topic]), pos: first.pos });
  t.match(second.rooms[roomId], { expanded_timeline: true });
  t.notOk(second.rooms[roomId] && "unstable_expanded_timeline" in second.rooms[roomId]);
  t.strictSame(types(second.rooms[roomId]), ["m.room.topic|"]);
});

t.test(
  "slidingSyncV4: an invite has its stripped state, and lists of invites can be asked for",
  async (t) => {
    const [alice, bob] = [await registerUser(server), await registerUser(server)];
    await createRoom(alice);
    const roomId = await createRoom(bob, { preset: "private_chat", name: "Secret" });
    await moderate(bob, roomId, "invite", alice.userId);
    const { rooms } = await syncV4(alice, lists({}, { filters: { is_invited: true } }));
    t.strictSame(Object.keys(rooms), [roomId]);
    const invite: (SlidingRoom & { stripped_state?: TestEvent[] }) | undefined = rooms[roomId];
    t.ok(invite?.stripped_state?.some(({ type }) => type === "m.room.name"));
    t.notOk(invite && "invite_state" in invite);
  },
);

t.test("slidingSyncV4: extensions by their final names, and by those of their proposals", async (t) => {
  const [alice, bob] = [await registerUser(server), await registerUser(server)];
  const roomId = await createRoom(alice, {}, bob);
  await setTyping(bob, roomId, { typing: true, timeout: 60_000 });
  await bob.put("/_matrix/client/v3/sendToDevice/m.test/once", {
    messages: { [alice.userId]: { "*": { n: 1 } } },
  });
  const enabled = { enabled: true };
  for (const names of [
    ["to_device", "e2ee", "typing"],
    ["org.matrix.msc4538.to_device", "org.matrix.msc4543.e2ee", "org.matrix.msc4508.typing"],
  ]) {
    const extensions = Object.fromEntries([...names, "org.example.unknown"].map((name) => [name, enabled]));
    const answer = await syncV4(alice, { ...lists(), conn_id: names[0], extensions });
    t.strictSame(Object.keys(answer.extensions).toSorted(), names.toSorted());
    const [toDevice = "", e2ee = "", typing = ""] = names;
    t.match(answer.extensions[toDevice], {
      events: [{ type: "m.test", content: { n: 1 } }],
      next_batch: /^s/,
    });
    t.match(answer.extensions[e2ee], { device_one_time_keys_count: { signed_curve25519: 0 } });
    t.match(answer.extensions[typing], { rooms: { [roomId]: { content: { user_ids: [bob.userId] } } } });
  }
});

t.test(
  "slidingSyncV4: its pos is a token for messages, and one connection may change its form",
  async (t) => {
    const alice = await registerUser(server);
    const roomId = await createRoom(alice);
    await say(alice, roomId, "before");
    const { pos } = await syncV4(alice, lists());
    await say(alice, roomId, "after");
    const back = await read(alice, "getRoomEvents", roomId, "messages", { dir: "b", from: pos, limit: 1 });
    t.match(back.body["chunk"], [{ content: { body: "before" } }]);
    const forth = await read(alice, "getRoomEvents", roomId, "messages", { dir: "f", from: pos });
    t.match(forth.body["chunk"], [{ content: { body: "after" } }]);
    const early = await slidingSync(alice, { lists: { all: earlyList() } }, { pos });
    t.match(early.rooms[roomId], { timeline: [{ content: { body: "after" } }], notification_count: 0 });
    t.notOk(early.rooms[roomId]?.initial);
  },
);

async function refused(t: Test, client: TestClient, body: Json, errcode: string): Promise<void> {
  const answer = await client.post(path, body);
  t.strictSame([answer.status, answer.body["errcode"]], [400, errcode], JSON.stringify(answer.body));
}

t.test("slidingSyncV4: what is refused", async (t) => {
  const alice = await registerUser(server);
  const tablet = await login(server, alice);
  const { pos } = await syncV4(alice, lists());
  await refused(t, tablet, { ...lists(), pos }, "M_UNKNOWN_POS");
  await refused(t, alice, { ...lists(), pos: "nonsense" }, "M_UNKNOWN_POS");
  await refused(t, alice, { ...lists(), set_presence: "busy" }, "M_INVALID_PARAM");
  await refused(t, alice, lists({}, { range: [5, 2] }), "M_INVALID_PARAM");
  await refused(t, alice, { lists: { "a b": { timeline_limit: 1, required_state: {} } } }, "M_INVALID_PARAM");
  const rules = { timeline_limit: 1, required_state: {} };
  const many = Array.from({ length: 101 }, (_, index) => index);
  await refused(
    t,
    alice,
    { lists: Object.fromEntries(many.map((n) => [`l${n}`, rules])) },
    "M_INVALID_PARAM",
  );
  const subscriptions = Object.fromEntries(many.map((n) => [`!r${n}:hearth.test`, rules]));
  await refused(t, alice, { room_subscriptions: subscriptions }, "M_INVALID_PARAM");
  await refused(t, alice, { room_subscriptions: { "#a:b": rules } }, "M_INVALID_PARAM");
  await refused(t, alice, { extensions: { to_device: { enabled: true, limit: 0 } } }, "M_INVALID_PARAM");
  await refused(t, alice, { extensions: { to_device: { enabled: true, since: "x" } } }, "M_INVALID_PARAM");
  await refused(t, alice, lists({ include: [["m.room.name", ""]] }), "M_BAD_JSON");
  await refused(t, alice, lists([] as unknown as Json), "M_BAD_JSON");
  t.equal((await anonymous(server).post(path, lists())).status, 401);
  const unknown = { room_subscriptions: { "!unknown:hearth.test": rules } };
  t.strictSame((await syncV4(alice, unknown)).rooms, {}, "rooms that cannot be seen are ignored");
  const bob = await registerUser(server);
  const hidden = await createRoom(bob, { preset: "private_chat" });
  t.strictSame((await syncV4(alice, { room_subscriptions: { [hidden]: rules } })).rooms, {});
});
