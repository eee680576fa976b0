import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { setTyping } from "../support/ephemeral.ts";
import { bodiesOf, createRoom, join, leave, moderate, redact, say, setState } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";
import { Connection, list, oneList, slidingSync, slidingSyncPath } from "../support/sliding-sync.ts";

// Simplified sliding sync (MSC4186). The operation is slidingSync throughout.

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

async function people() {
  return { alice: await registerUser(server), bob: await registerUser(server) };
}

t.test("slidingSync: a first window, sorted by activity, and what a room brings", async (t) => {
  const { alice, bob } = await people();
  const [old, middle, recent] = [
    await createRoom(alice, { name: "Old", topic: "About" }, bob),
    await createRoom(alice, { name: "Middle" }, bob),
    await createRoom(alice, { name: "Recent" }, bob),
  ];
  await say(alice, old, "one");
  await say(alice, old, "two");
  const required_state = [
    ["m.room.topic", ""],
    ["m.room.member", "$ME"],
  ];
  const answer = await slidingSync(
    bob,
    { txn_id: "t1", ...oneList({ ranges: [[0, 1]], timeline_limit: 1, required_state }) },
    {},
  );
  t.same(Object.keys(answer.rooms), [old, recent]);
  t.same(answer.lists, { all: { count: 3 } });
  t.equal(answer.txn_id, "t1");
  const room = answer.rooms[old];
  t.match(room, {
    initial: true,
    name: "Old",
    membership: "join",
    is_dm: false,
    lists: ["all"],
    joined_count: 2,
    invited_count: 0,
    notification_count: 2,
    highlight_count: 0,
    limited: true,
    num_live: 0,
  });
  t.same(bodiesOf(room?.timeline ?? []), ["two"]);
  t.same(
    room?.required_state?.map(({ type, state_key }) => [type, state_key]),
    [
      ["m.room.member", bob.userId],
      ["m.room.topic", ""],
    ],
  );
  t.type(room?.prev_batch, "string");
  t.ok((room?.bump_stamp ?? 0) > (answer.rooms[recent]?.bump_stamp ?? 0));
  t.notOk(middle in answer.rooms);
});

t.test("slidingSync: several ranges, overlapping ones, and beyond the end", async (t) => {
  const { alice, bob } = await people();
  const rooms: string[] = [];
  for (let index = 0; index < 5; index++) rooms.unshift(await createRoom(alice, {}, bob));
  const ranges = [
    [0, 0],
    [3, 100],
    [4, 4],
  ];
  const answer = await slidingSync(bob, oneList({ ranges, timeline_limit: 0 }));
  t.same(Object.keys(answer.rooms), [rooms[0], rooms[3], rooms[4]]);
  t.equal(answer.lists["all"]?.count, 5);
  t.same(answer.rooms[rooms[0] ?? ""]?.timeline, []);
  const all = await slidingSync(bob, { lists: { all: { timeline_limit: 1, required_state: [] } } });
  t.equal(Object.keys(all.rooms).length, 5, "no ranges: the whole list");
});

t.test("slidingSync: later answers bring what is new, and wait for it", async (t) => {
  const { alice, bob } = await people();
  const roomId = await createRoom(alice, { name: "Before" }, bob);
  const quiet = await createRoom(alice, {}, bob);
  const body = oneList({ required_state: [["m.room.topic", ""]] });
  const connection = new Connection(bob);
  await connection.sync(body);
  t.same((await connection.sync(body)).rooms, {});
  const waiting = connection.sync(body, 20_000);
  await say(alice, roomId, "hello");
  const answer = await waiting;
  t.same(Object.keys(answer.rooms), [roomId]);
  const room = answer.rooms[roomId];
  t.same(bodiesOf(room?.timeline ?? []), ["hello"]);
  t.match(room, { limited: false, num_live: 1, membership: "join", required_state: [] });
  for (const key of ["initial", "name", "joined_count"]) t.notOk(key in (room ?? {}), key);
  await setState(alice, roomId, "m.room.topic", { topic: "New" });
  await setState(alice, roomId, "m.room.name", { name: "After" });
  const later = (await connection.sync(body)).rooms[roomId];
  t.equal(later?.name, "After");
  t.same(
    later?.required_state?.map(({ content }) => content),
    [{ topic: "New" }],
  );
  t.notOk(quiet in answer.rooms);
  await setState(alice, roomId, "m.room.name", {});
  const nameless = (await connection.sync(body)).rooms[roomId];
  t.match(nameless, { initial: true, heroes: [{ user_id: alice.userId }] });
  t.notOk("name" in (nameless ?? {}), "clients forget it with `initial`");
});

t.test("slidingSync: a position may come again, with other rules; others are M_UNKNOWN_POS", async (t) => {
  const { alice, bob } = await people();
  const roomId = await createRoom(alice, {}, bob);
  const first = await slidingSync(bob, oneList());
  await say(alice, roomId, "again");
  const [one, two] = [
    await slidingSync(bob, oneList(), { pos: first.pos }),
    await slidingSync(bob, oneList(), { pos: first.pos }),
  ];
  t.same(bodiesOf(one.rooms[roomId]?.timeline ?? []), ["again"]);
  t.same(bodiesOf(two.rooms[roomId]?.timeline ?? []), ["again"]);
  t.same((await slidingSync(bob, oneList(), { pos: two.pos })).rooms, {});
  const refused = [
    ["nonsense", ""],
    [`${"a".repeat(12)}.1`, ""],
    [first.pos.replace(/\d+$/, "999999999"), ""],
    [first.pos, "another connection"],
  ] as const;
  for (const [pos, conn_id] of refused) {
    const { status, body } = await bob.post(`${slidingSyncPath}?pos=${pos}`, { ...oneList(), conn_id });
    t.match({ status, body }, { status: 400, body: { errcode: "M_UNKNOWN_POS" } }, pos);
  }
  const other = await alice.post(`${slidingSyncPath}?pos=${first.pos}`, oneList());
  t.equal(other.body["errcode"], "M_UNKNOWN_POS", "of another user");
});

t.test("slidingSync: rooms that fall out of the window come back with what was missed", async (t) => {
  const { alice, bob } = await people();
  const [a, b] = [await createRoom(alice, {}, bob), await createRoom(alice, {}, bob)];
  const body = oneList({ ranges: [[0, 0]], required_state: [["m.room.topic", ""]] });
  const connection = new Connection(bob);
  t.same(Object.keys((await connection.sync(body)).rooms), [b]);
  await say(alice, a, "a1");
  t.same(Object.keys((await connection.sync(body)).rooms), [a]);
  await setState(alice, b, "m.room.topic", { topic: "T" });
  await say(alice, b, "b1");
  await say(alice, a, "a2");
  t.same(Object.keys((await connection.sync(body)).rooms), [a]);
  const answer = await connection.sync(oneList({ ranges: [[0, 1]], required_state: [["m.room.topic", ""]] }));
  t.same(Object.keys(answer.rooms), [b]);
  const room = answer.rooms[b];
  t.notOk(room?.initial);
  t.same(bodiesOf(room?.timeline ?? []), ["b1"]);
  t.match(room, { limited: false, num_live: 0, required_state: [{ type: "m.room.topic" }] });
});

t.test("slidingSync: larger limits and further rules bring what was left out, at once", async (t) => {
  const { alice, bob } = await people();
  const roomId = await createRoom(alice, { topic: "T" }, bob);
  for (const text of ["1", "2", "3"]) await say(alice, roomId, text);
  const connection = new Connection(bob);
  const body = (timeline_limit: number, ...required_state: string[][]) =>
    oneList({ timeline_limit, required_state });
  t.same(bodiesOf((await connection.sync(body(1))).rooms[roomId]?.timeline ?? []), ["3"]);
  const expanded = (await connection.sync(body(3), 20_000)).rooms[roomId];
  t.same(bodiesOf(expanded?.timeline ?? []), ["1", "2", "3"]);
  t.match(expanded, { unstable_expanded_timeline: true, limited: true, num_live: 0 });
  t.notOk(expanded?.initial);
  t.same((await connection.sync(body(3))).rooms, {}, "it has them now");
  const ruled = (await connection.sync(body(3, ["m.room.topic", ""]), 20_000)).rooms[roomId];
  t.match(ruled?.required_state, [{ type: "m.room.topic" }]);
  t.same(ruled?.timeline, []);
  t.same((await connection.sync(body(3))).rooms, {});
  await setState(alice, roomId, "m.room.topic", { topic: "U" });
  t.same((await connection.sync(body(3))).rooms[roomId]?.required_state, [], "not asked for");
  const again = (await connection.sync(body(3, ["m.room.topic", ""]))).rooms[roomId];
  t.match(again?.required_state, [{ content: { topic: "U" } }], "what has changed unseen comes again");
});

t.test("slidingSync: required_state with wildcards and lazily loaded members", async (t) => {
  const { alice, bob } = await people();
  const carol = await registerUser(server);
  const roomId = await createRoom(alice, { name: "N" }, bob, carol);
  await say(carol, roomId, "one");
  const stateOf = async (...required_state: string[][]) =>
    (await slidingSync(bob, oneList({ timeline_limit: 1, required_state }))).rooms[roomId]?.required_state ??
    [];
  const members = (events: readonly { type: string; state_key?: string }[]) =>
    events.flatMap(({ type, state_key = "" }) => (type === "m.room.member" ? [state_key] : [])).sort();
  const everybody = [alice, bob, carol].map(({ userId }) => userId).sort();
  t.same(members(await stateOf(["m.room.member", "*"])), everybody);
  t.same(members(await stateOf(["*", bob.userId])), [bob.userId]);
  t.same(members(await stateOf(["*", "*"])), everybody);
  const lazy = await stateOf(["*", "*"], ["m.room.member", "$LAZY"]);
  t.same(members(lazy), [carol.userId], "the sender alone");
  t.ok(lazy.some(({ type }) => type === "m.room.create"));
  t.same(members(await stateOf(["*", "*"], ["m.room.member", "$ME"])), [bob.userId]);

  const connection = new Connection(bob);
  const body = oneList({ timeline_limit: 1, required_state: [["m.room.member", "$LAZY"]] });
  await connection.sync(body);
  await say(carol, roomId, "two");
  t.same((await connection.sync(body)).rooms[roomId]?.required_state, [], "it has the sender already");
  await say(alice, roomId, "three");
  t.same(members((await connection.sync(body)).rooms[roomId]?.required_state ?? []), [alice.userId]);
  const dave = await registerUser(server);
  await join(dave, roomId);
  t.same(members((await connection.sync(body)).rooms[roomId]?.required_state ?? []), [dave.userId]);
});

t.test("slidingSync: subscriptions, beside lists and without", async (t) => {
  const { alice, bob } = await people();
  const [a, b] = [await createRoom(alice, {}, bob), await createRoom(alice, {}, bob)];
  const foreign = await createRoom(alice);
  for (const text of ["1", "2"]) await say(alice, b, text);
  const config = { timeline_limit: 1, required_state: [["m.room.create", ""]] };
  const subscribed = await slidingSync(bob, { room_subscriptions: { [a]: config, [foreign]: config } });
  t.same(Object.keys(subscribed.rooms), [a], "nothing of a room that the user is not in");
  t.notOk("lists" in (subscribed.rooms[a] ?? {}));
  t.match(subscribed.rooms[a]?.required_state, [{ type: "m.room.create" }]);
  const both = await slidingSync(bob, {
    lists: { top: list({ ranges: [[0, 0]], timeline_limit: 2 }) },
    room_subscriptions: { [b]: config },
  });
  t.same(bodiesOf(both.rooms[b]?.timeline ?? []), ["1", "2"], "the larger limit");
  t.match(both.rooms[b], { lists: ["top"], required_state: [{ type: "m.room.create" }] });
});

t.test("slidingSync: invites, leaving, being kicked, coming back", async (t) => {
  const { alice, bob } = await people();
  const connection = new Connection(bob);
  const body = oneList({ required_state: [["m.room.member", "$ME"]] });
  await connection.sync(body);
  const roomId = await createRoom(alice, { name: "Party", invite: [bob.userId] });
  const invited = (await connection.sync(body, 20_000)).rooms[roomId];
  t.match(invited, { initial: true, membership: "invite" });
  t.ok(invited?.invite_state?.some(({ type }) => type === "m.room.name"));
  t.notOk("timeline" in (invited ?? {}));
  t.same((await connection.sync(body)).rooms, {});
  await leave(bob, roomId);
  const refused = await connection.sync(body);
  t.match(refused.rooms[roomId], { membership: "leave", timeline: [{ content: { membership: "leave" } }] });
  t.same((await connection.sync(body)).rooms, {});
  t.equal((await connection.sync(body)).lists["all"]?.count, 0, "who has left knows it");
  await moderate(alice, roomId, "invite", bob.userId);
  await join(bob, roomId);
  t.match((await connection.sync(body)).rooms[roomId], { initial: true, membership: "join", name: "Party" });
  await moderate(alice, roomId, "kick", bob.userId);
  await say(alice, roomId, "secret");
  const kicked = await connection.sync(body);
  t.match(kicked.rooms[roomId], {
    membership: "leave",
    required_state: [{ content: { membership: "leave" } }],
  });
  t.same(bodiesOf(kicked.rooms[roomId]?.timeline ?? []), []);
  t.equal(kicked.lists["all"]?.count, 1);
  const anew = await slidingSync(bob, body);
  t.equal(anew.rooms[roomId]?.membership, "leave", "whoever was kicked is told on every connection");
});

t.test("slidingSync: invites of ignored users are not shown", async (t) => {
  const { alice, bob } = await people();
  const path = `/_matrix/client/v3/user/${bob.userId}/account_data/m.ignored_user_list`;
  await bob.put(path, { ignored_users: { [alice.userId]: {} } });
  await createRoom(alice, { invite: [bob.userId] });
  t.match(await slidingSync(bob, oneList()), { rooms: {}, lists: { all: { count: 0 } } });
});

t.test("slidingSync: filters", async (t) => {
  const { alice, bob } = await people();
  const encryption = {
    type: "m.room.encryption",
    state_key: "",
    content: { algorithm: "m.megolm.v1.aes-sha2" },
  };
  const rooms = {
    plain: await createRoom(alice, { name: "Plain Foo" }, bob),
    secret: await createRoom(alice, { name: "Secret", initial_state: [encryption] }, bob),
    space: await createRoom(alice, { creation_content: { type: "m.space" } }, bob),
    invite: await createRoom(alice, { invite: [bob.userId] }),
  };
  await setState(alice, rooms.space, "m.space.child", { via: ["hearth.test"] }, rooms.secret);
  const user = `/_matrix/client/v3/user/${bob.userId}`;
  await bob.put(`${user}/account_data/m.direct`, { [alice.userId]: [rooms.plain] });
  await bob.put(`${user}/rooms/${rooms.secret}/tags/m.favourite`, {});
  const connection = new Connection(bob);
  const found = async (filters: object) => {
    const answer = await connection.sync(oneList({ filters, timeline_limit: 1 }));
    const names = Object.entries(rooms).flatMap(([name, roomId]) => (answer.rooms[roomId] ? [name] : []));
    t.equal(answer.lists["all"]?.count, names.length);
    connection.pos = undefined;
    return names;
  };
  t.same(await found({ is_dm: true }), ["plain"]);
  t.same(await found({ is_dm: false }), ["secret", "space", "invite"]);
  t.same(await found({ is_encrypted: true }), ["secret"]);
  t.same(await found({ is_encrypted: false }), ["plain", "space", "invite"]);
  t.same(await found({ is_invite: true }), ["invite"]);
  t.same(await found({ is_invite: false }), ["plain", "secret", "space"]);
  t.same(await found({ room_types: ["m.space"] }), ["space"]);
  t.same(await found({ room_types: [null] }), ["plain", "secret", "invite"]);
  t.same(await found({ room_types: [null, "m.space"], not_room_types: [null] }), ["space"]);
  t.same(await found({ tags: ["m.favourite", "x"] }), ["secret"]);
  t.same(await found({ not_tags: ["m.favourite"] }), ["plain", "space", "invite"]);
  t.same(await found({ tags: ["m.favourite"], not_tags: ["m.favourite"] }), []);
  t.same(await found({ spaces: [rooms.space, "!unknown:hearth.test"] }), ["secret"]);
  t.same(await found({ room_name_like: "fOO" }), ["plain"]);
  t.equal((await slidingSync(bob, oneList())).rooms[rooms.plain]?.is_dm, true);
  await bob.put(`${user}/rooms/${rooms.plain}/tags/x`, {});
  await setState(alice, rooms.plain, "m.room.name", { name: "Bar" });
  t.same(await found({ tags: ["x"], room_name_like: "bar" }), ["plain"], "changes are followed");
});

t.test(
  "slidingSync: rules that overlap bring each state event once, a redacted one as what is left of it",
  async (t) => {
    const { alice, bob } = await people();
    const roomId = await createRoom(alice, { topic: "About" }, bob);
    const named = await setState(alice, roomId, "m.room.name", { name: "Wrong" });
    for (let index = 0; index < 5; index++) await say(alice, roomId, `${index}`);
    const rules = (...required_state: string[][]) => list({ timeline_limit: 1, required_state });
    const lists = {
      one: rules(["m.room.name", ""], ["m.room.topic", ""]),
      other: rules(["m.room.name", ""], ["m.room.member", "$ME"], ["m.room.member", bob.userId]),
    };
    const room = async (client: TestClient) => (await slidingSync(client, { lists })).rooms[roomId];
    for (const client of [bob, alice]) {
      const types = (await room(client))?.required_state?.map(
        ({ type, state_key }) => `${type} ${state_key}`,
      );
      const members = new Set([`m.room.member ${bob.userId}`, `m.room.member ${client.userId}`]);
      t.same(types?.toSorted(), [...members, "m.room.name ", "m.room.topic "].toSorted(), client.userId);
    }
    await redact(alice, roomId, named);
    const redacted = await room(bob);
    t.equal(redacted?.name, undefined);
    t.same(redacted?.required_state?.find(({ type }) => type === "m.room.name")?.content, {});
  },
);

t.test("slidingSync: connections of one device are apart", async (t) => {
  const { alice, bob } = await people();
  const roomId = await createRoom(alice, {}, bob);
  const one = await slidingSync(bob, { ...oneList(), conn_id: "one" });
  const two = await slidingSync(bob, { ...oneList(), conn_id: "two" });
  t.ok(one.rooms[roomId]?.initial && two.rooms[roomId]?.initial);
  await say(alice, roomId, "hello");
  const later = await slidingSync(bob, { ...oneList(), conn_id: "one" }, { pos: one.pos });
  t.same(bodiesOf(later.rooms[roomId]?.timeline ?? []), ["hello"]);
  const late = await slidingSync(bob, { ...oneList(), conn_id: "two" }, { pos: two.pos });
  t.same(bodiesOf(late.rooms[roomId]?.timeline ?? []), ["hello"]);
});

t.test("slidingSync: positions outlive a restart, that before the last one too", async (t) => {
  const { alice, bob } = await people();
  const [a, b] = [await createRoom(alice, { name: "A" }, bob), await createRoom(alice, { name: "B" }, bob)];
  const body = oneList({ ranges: [[0, 0]] }, { extensions: { typing: { enabled: true } } });
  const first = await slidingSync(bob, body);
  await say(alice, a, "before");
  await setTyping(alice, a, { typing: true, timeout: 60_000 });
  const second = await slidingSync(bob, body, { pos: first.pos });
  t.ok(second.rooms[a]?.initial);
  await setTyping(alice, a, { typing: false });
  await server.restart();
  await say(alice, a, "after");
  const third = await slidingSync(bob, body, { pos: second.pos });
  t.same(Object.keys(third.rooms), [a]);
  t.notOk(third.rooms[a]?.initial);
  t.same(bodiesOf(third.rooms[a]?.timeline ?? []), ["after"]);
  const again = await slidingSync(bob, body, { pos: first.pos });
  t.ok(again.rooms[a]?.initial, "that answer may not have reached the client");
  await say(alice, b, "hello");
  const back = await slidingSync(bob, body, { pos: again.pos });
  t.notOk(back.rooms[b]?.initial, "what was sent before the restart");
  t.same(bodiesOf(back.rooms[b]?.timeline ?? []), ["hello"]);
});

t.test("slidingSync: a first position outlives a restart, with rooms of which all was sent", async (t) => {
  const { alice, bob } = await people();
  const roomId = await createRoom(alice, { name: "Small" }, bob);
  const body = (timeline_limit: number) => oneList({ timeline_limit });
  const first = await slidingSync(bob, body(50));
  t.equal(first.rooms[roomId]?.limited, false);
  const same = await slidingSync(bob, body(60), { pos: first.pos });
  t.same(same.rooms, {}, "there is nothing that a larger limit could bring");
  await server.restart();
  await say(alice, roomId, "hello");
  const second = await slidingSync(bob, body(50), { pos: first.pos });
  t.notOk(second.rooms[roomId]?.initial);
  t.same(bodiesOf(second.rooms[roomId]?.timeline ?? []), ["hello"]);
  const larger = await slidingSync(bob, body(60), { pos: second.pos });
  t.notOk(larger.rooms[roomId]?.initial);
  t.same((await slidingSync(bob, body(60), { pos: larger.pos })).rooms, {}, "once at the most");
});

t.test("slidingSync: members of an answer that was lost come with its repetition", async (t) => {
  const { alice, bob } = await people();
  const roomId = await createRoom(alice, {}, bob);
  const top = await createRoom(alice, {}, bob);
  await say(alice, top, "on top");
  const required_state = [["m.room.member", "$LAZY"]];
  const first = await slidingSync(bob, oneList({ ranges: [[0, 0]], timeline_limit: 1, required_state }));
  t.ok(first.rooms[top]);
  const further = oneList({ ranges: [[0, 1]], timeline_limit: 1, required_state });
  const lost = await slidingSync(bob, further, { pos: first.pos });
  const again = await slidingSync(bob, further, { pos: first.pos });
  t.same(again.rooms[roomId]?.required_state, lost.rooms[roomId]?.required_state);
  t.equal(again.rooms[roomId]?.required_state?.length, 1);
  const expanded = oneList({ ranges: [[0, 1]], timeline_limit: 3, required_state });
  const [one, two] = [
    await slidingSync(bob, expanded, { pos: again.pos }),
    await slidingSync(bob, expanded, { pos: again.pos }),
  ];
  t.same(two.rooms[roomId]?.required_state, one.rooms[roomId]?.required_state);
  t.not(two.rooms[roomId]?.required_state?.length, 0, "bob has just joined");
});

t.test("slidingSync: input that is refused", async (t) => {
  const { bob } = await people();
  const subscription = { timeline_limit: 1, required_state: [] };
  const bad: [body: unknown, errcode: string][] = [
    [{ lists: { all: { ranges: [[0, 1]], required_state: [] } } }, "M_BAD_JSON"],
    [{ lists: { all: { timeline_limit: 1 } } }, "M_BAD_JSON"],
    [oneList({ timeline_limit: -1 }), "M_BAD_JSON"],
    [oneList({ ranges: [[0]] }), "M_BAD_JSON"],
    [oneList({ ranges: [[0, "1"]] }), "M_BAD_JSON"],
    [oneList({ ranges: [[5, 1]] }), "M_INVALID_PARAM"],
    [oneList({ required_state: [["m.room.name"]] }), "M_BAD_JSON"],
    [oneList({ filters: { is_dm: "yes" } }), "M_BAD_JSON"],
    [{ lists: { ["k".repeat(65)]: list() } }, "M_INVALID_PARAM"],
    [{ lists: Object.fromEntries(Array.from({ length: 101 }, (_, n) => [n, list()])) }, "M_BAD_JSON"],
    [{ room_subscriptions: { nonsense: subscription } }, "M_INVALID_PARAM"],
    [{ extensions: { to_device: { enabled: true, since: "nonsense" } } }, "M_INVALID_PARAM"],
    [{ extensions: { receipts: { enabled: 1 } } }, "M_BAD_JSON"],
    [[], "M_BAD_JSON"],
  ];
  for (const [body, errcode] of bad) {
    const answer = await bob.post(slidingSyncPath, body);
    t.match(answer, { status: 400, body: { errcode } }, JSON.stringify(body).slice(0, 80));
  }
  for (const query of ["timeout=-1", "timeout=x", "set_presence=away"]) {
    const answer = await bob.post(`${slidingSyncPath}?${query}`, oneList());
    t.match(answer, { status: 400, body: { errcode: "M_INVALID_PARAM" } }, query);
  }
  t.same((await slidingSync(bob, {})).rooms, {});
});

t.test("slidingSync: clients find it among the unstable features", async (t) => {
  const { bob } = await people();
  const { body } = await bob.get("/_matrix/client/versions", "getVersions");
  t.match(body, { unstable_features: { "org.matrix.simplified_msc3575": true } });
});
