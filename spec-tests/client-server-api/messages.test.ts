import t from "tap";
import { anonymous, registerUser, type TestClient } from "../support/client.ts";
import {
  bodiesOf,
  createRoom,
  join,
  leave,
  moderate,
  type Query,
  read,
  say,
  send,
  setState,
  sync,
  type TestEvent,
} from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");
const mallory = await registerUser(server, "mallory");

interface Page {
  readonly chunk: TestEvent[];
  readonly state?: TestEvent[];
  readonly start: string;
  readonly end?: string;
}

async function messages(client: TestClient, roomId: string, query: Query): Promise<Page> {
  const { status, body } = await read(client, "getRoomEvents", roomId, "messages", query);
  if (status !== 200) throw new Error(`messages answered ${status}: ${JSON.stringify(body)}`);
  return body as unknown as Page;
}

async function roomWithMessages(count: number): Promise<string> {
  const roomId = await createRoom(alice, {}, bob);
  for (let index = 0; index < count; index++) await say(index % 2 ? bob : alice, roomId, `${index}`);
  return roomId;
}

/** Reads to the end in pages. */
async function readAll(client: TestClient, roomId: string, query: Query): Promise<TestEvent[]> {
  const events: TestEvent[] = [];
  for (let from: string | undefined, pages = 0; pages < 100; pages++) {
    const page = await messages(client, roomId, { ...query, from });
    events.push(...page.chunk);
    if (page.end === undefined) return events;
    from = page.end;
  }
  throw new Error("the pages have no end");
}

t.test("getRoomEvents: pages in both directions have every event once, in order", async (t) => {
  const roomId = await roomWithMessages(23);
  const forwards = await readAll(alice, roomId, { dir: "f", limit: 4 });
  const backwards = await readAll(alice, roomId, { dir: "b", limit: 4 });
  t.equal(forwards[0]?.type, "m.room.create");
  t.same(
    bodiesOf(forwards),
    Array.from({ length: 23 }, (_, index) => `${index}`),
  );
  t.same(
    backwards.map((event) => event.event_id),
    forwards.map((event) => event.event_id).toReversed(),
  );
  t.equal(new Set(forwards.map((event) => event.event_id)).size, forwards.length);
  t.ok(forwards.every((event) => event.room_id === roomId));
});

t.test("getRoomEvents: the default page has 10 events; from and to bound the stretch", async (t) => {
  const roomId = await roomWithMessages(15);
  const newest = await messages(alice, roomId, { dir: "b" });
  t.equal(newest.chunk.length, 10);
  const older = await messages(alice, roomId, { dir: "b", from: newest.end, limit: 3 });
  t.same(bodiesOf(older.chunk), ["4", "3", "2"]);
  t.equal(older.start, newest.end);
  const between = await messages(alice, roomId, { dir: "f", from: older.end, to: newest.end, limit: 50 });
  t.same(bodiesOf(between.chunk), ["2", "3", "4"]);
  t.notOk("end" in between);
});

t.test("getRoomEvents: tokens of sync fit both ways", async (t) => {
  const roomId = await roomWithMessages(12);
  const answer = await sync(alice, { filter: { room: { timeline: { limit: 5 } } } });
  const from = answer.room("join", roomId).timeline.prev_batch;
  t.same(bodiesOf((await messages(alice, roomId, { dir: "b", from, limit: 3 })).chunk), ["6", "5", "4"]);
  t.same(bodiesOf((await messages(alice, roomId, { dir: "f", from, to: answer.nextBatch })).chunk), [
    "7",
    "8",
    "9",
    "10",
    "11",
  ]);
  await say(bob, roomId, "later");
  t.same(bodiesOf((await messages(alice, roomId, { dir: "f", from: answer.nextBatch })).chunk), ["later"]);
});

t.test("getRoomEvents: the direction is needed; who may not read the room is told that first", async (t) => {
  const roomId = await roomWithMessages(1);
  const without = await read(alice, "getRoomEvents", roomId, "messages");
  t.match(without, { status: 400, body: { errcode: "M_MISSING_PARAM" } });
  await leave(bob, roomId);
  await bob.post(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/forget`, {}, "forgetRoom");
  for (const client of [bob, mallory]) {
    const refused = await read(client, "getRoomEvents", roomId, "messages");
    t.match(refused, { status: 403, body: { errcode: "M_FORBIDDEN" } });
  }
});

t.test("getRoomEvents: a filter chooses events, and pages are filled all the same", async (t) => {
  const roomId = await roomWithMessages(30);
  await send(alice, roomId, "org.example.rare", {});
  await say(bob, roomId, "last");
  const filter = { types: ["org.example.rare", "m.room.topic"] };
  const rare = await messages(alice, roomId, { dir: "b", limit: 2, filter });
  t.match(rare.chunk, [{ type: "org.example.rare" }]);
  const ofBob = await readAll(alice, roomId, { dir: "f", limit: 3, filter: { senders: [bob.userId] } });
  t.equal(bodiesOf(ofBob).length, 16);
  const url = await send(alice, roomId, "m.room.message", {
    msgtype: "m.image",
    body: "x",
    url: "mxc://a/b",
  });
  const withUrl = await messages(alice, roomId, { dir: "b", filter: { contains_url: true } });
  t.match(withUrl.chunk, [{ event_id: url }]);
  t.type(withUrl.end, "string", "there are more events than those that the filter lets through");
  const beyond = { dir: "b", from: withUrl.end, filter: { contains_url: true } };
  t.match(await messages(alice, roomId, beyond), { chunk: [], end: undefined });
  t.same((await messages(alice, roomId, { dir: "b", filter: { rooms: ["!other:hearth.test"] } })).chunk, []);
});

t.test("getRoomEvents: lazy loading gives the members who have sent the chunk", async (t) => {
  const roomId = await createRoom(alice, {}, bob, mallory);
  await say(bob, roomId, "hello");
  const page = await messages(alice, roomId, { dir: "b", limit: 1, filter: { lazy_load_members: true } });
  t.match(page.state, [{ type: "m.room.member", state_key: bob.userId, room_id: roomId }]);
});

t.test("getRoomEvents: not for those who were never there; for those who left, up to then", async (t) => {
  const roomId = await createRoom(alice, { preset: "private_chat", invite: [bob.userId] });
  const refused = await read(bob, "getRoomEvents", roomId, "messages", { dir: "b" });
  t.equal(refused.status, 403, "an invite is not enough");
  await join(bob, roomId);
  await say(alice, roomId, "seen");
  await leave(bob, roomId);
  await say(alice, roomId, "unseen");
  const page = await messages(bob, roomId, { dir: "b" });
  t.same(bodiesOf(page.chunk), ["seen"]);
  t.match(page.chunk[0], { content: { membership: "leave" } });
  for (const room of [roomId, "!unknown:hearth.test"]) {
    const answer = await read(mallory, "getRoomEvents", room, "messages", { dir: "b" });
    t.equal(answer.status, 403);
    t.equal(answer.body["errcode"], "M_FORBIDDEN");
  }
});

t.test("getRoomEvents: bad input is refused by name", async (t) => {
  const roomId = await createRoom(alice);
  for (const query of [
    {},
    { dir: "up" },
    { dir: "b", from: "x" },
    { dir: "b", to: "s" },
    { dir: "b", limit: "ten" },
  ]) {
    const { status } = await read(alice, "getRoomEvents", roomId, "messages", query);
    t.equal(status, 400, JSON.stringify(query));
  }
  const filter = await read(alice, "getRoomEvents", roomId, "messages", { dir: "b", filter: "{" });
  t.equal(filter.body["errcode"], "M_NOT_JSON");
  const notARoom = await read(alice, "getRoomEvents", "room", "messages", { dir: "b" });
  t.equal(notARoom.body["errcode"], "M_INVALID_PARAM");
  t.equal((await read(anonymous(server), "getRoomEvents", roomId, "messages", { dir: "b" })).status, 401);
});

t.test("getOneRoomEvent: an event with its room, if it may be seen", async (t) => {
  const roomId = await createRoom(alice, { preset: "private_chat" });
  const eventId = await say(alice, roomId, "hello");
  const path = `event/${encodeURIComponent(eventId)}`;
  const { body } = await read(alice, "getOneRoomEvent", roomId, path);
  t.match(body, { event_id: eventId, room_id: roomId, content: { body: "hello" } });
  const otherId = await createRoom(alice);
  for (const [client, room] of [
    [mallory, roomId],
    [alice, otherId],
    [alice, "!unknown:hearth.test"],
  ] as const) {
    const answer = await read(client, "getOneRoomEvent", room, path);
    t.equal(answer.status, 404);
    t.equal(answer.body["errcode"], "M_NOT_FOUND");
  }
});

t.test("getEventContext: what lies around an event, and tokens to go on from there", async (t) => {
  const roomId = await roomWithMessages(20);
  const all = await readAll(alice, roomId, { dir: "f", limit: 100 });
  const middle = all.find(({ content }) => content["body"] === "10");
  const path = `context/${encodeURIComponent(middle?.event_id ?? "")}`;
  const { body } = await read(alice, "getEventContext", roomId, path, { limit: 5 });
  t.equal((body["event"] as TestEvent).event_id, middle?.event_id);
  t.same(bodiesOf(body["events_before"] as TestEvent[]), ["9", "8"]);
  t.same(bodiesOf(body["events_after"] as TestEvent[]), ["11", "12", "13"]);
  t.ok((body["state"] as TestEvent[]).some(({ type }) => type === "m.room.create"));
  const before = await messages(alice, roomId, { dir: "b", from: String(body["start"]), limit: 1 });
  t.same(bodiesOf(before.chunk), ["7"]);
  const after = await messages(alice, roomId, { dir: "f", from: String(body["end"]), limit: 1 });
  t.same(bodiesOf(after.chunk), ["14"]);
  const alone = await read(alice, "getEventContext", roomId, path, {
    limit: 0,
    filter: { lazy_load_members: true },
  });
  t.same([alone.body["events_before"], alone.body["events_after"]], [[], []]);
  const members = (alone.body["state"] as TestEvent[]).filter(({ type }) => type === "m.room.member");
  t.same(
    members.map(({ state_key }) => state_key),
    [alice.userId],
  );
  t.equal((await read(mallory, "getEventContext", roomId, path)).status, 403);
  t.equal((await read(alice, "getEventContext", roomId, "context/%24unknown")).status, 404);
});

t.test("getEventByTimestamp: the closest event on the wanted side", async (t) => {
  const roomId = await roomWithMessages(3);
  const all = await readAll(alice, roomId, { dir: "f" });
  const [first, last] = [all[0], all.at(-1)];
  const at = async (ts: number, dir: string, client = alice) =>
    read(client, "getEventByTimestamp", roomId, "timestamp_to_event", { ts, dir }, "v1");
  t.equal((await at(0, "f")).body["event_id"], first?.event_id);
  t.match((await at(Date.now() + 60_000, "b")).body, {
    event_id: last?.event_id,
    origin_server_ts: last?.origin_server_ts,
  });
  t.equal((await at(Date.now() + 60_000, "f")).status, 404);
  t.equal((await at(0, "b")).status, 404);
  t.equal((await at(0, "f", mallory)).status, 403);
  t.equal((await at(0, "x")).status, 400);
});

t.test("getRoomState and getRoomStateWithKey: now, or when the user left", async (t) => {
  const roomId = await createRoom(alice, { preset: "private_chat", invite: [bob.userId], name: "First" });
  await join(bob, roomId);
  await leave(bob, roomId);
  await setState(alice, roomId, "m.room.name", { name: "Second" });
  const nameFor = async (client: TestClient) =>
    (await read(client, "getRoomStateWithKey", roomId, "state/m.room.name")).body;
  t.same(await nameFor(alice), { name: "Second" });
  t.same(await nameFor(bob), { name: "First" });
  const slash = await read(alice, "getRoomStateWithKey", roomId, "state/m.room.name/");
  t.same(slash.body, { name: "Second" });
  // The description wants an event to be an object and not to be one.
  const event = await read(alice, undefined, roomId, "state/m.room.name", { format: "event" });
  t.match(event.body, { type: "m.room.name", state_key: "", sender: alice.userId, room_id: roomId });
  const member = `state/m.room.member/${encodeURIComponent(bob.userId)}`;
  t.match((await read(alice, "getRoomStateWithKey", roomId, member)).body, { membership: "leave" });
  const response = await fetch(`${server.url}/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state`, {
    headers: { Authorization: `Bearer ${alice.accessToken}` },
  });
  const state = (await response.json()) as TestEvent[];
  t.ok(state.every((stateEvent) => stateEvent.room_id === roomId && stateEvent.state_key !== undefined));
  t.same(state.find(({ type }) => type === "m.room.name")?.content, { name: "Second" });
  t.equal((await read(alice, "getRoomStateWithKey", roomId, "state/m.room.topic")).status, 404);
  t.equal((await read(mallory, "getRoomStateWithKey", roomId, "state/m.room.name")).status, 403);
  t.equal((await read(mallory, "getRoomState", roomId, "state")).status, 403);
  t.equal((await read(mallory, "getRoomState", "!unknown:hearth.test", "state")).status, 403);
});

t.test("getMembersByRoom: by membership, and at a point in the past", async (t) => {
  const roomId = await createRoom(alice, { invite: [mallory.userId] });
  const at = (await sync(alice)).nextBatch;
  await join(bob, roomId);
  await moderate(alice, roomId, "kick", bob.userId);
  const members = async (query: Query, client = alice) => {
    const { status, body } = await read(client, "getMembersByRoom", roomId, "members", query);
    if (status !== 200) return status;
    return (body["chunk"] as TestEvent[]).map(
      (event) => `${event.state_key} ${String(event.content["membership"])}`,
    );
  };
  const [inAlice, inMallory, outBob] = [
    `${alice.userId} join`,
    `${mallory.userId} invite`,
    `${bob.userId} leave`,
  ];
  t.same(new Set((await members({})) as string[]), new Set([inAlice, inMallory, outBob]));
  t.same(new Set((await members({ at })) as string[]), new Set([inAlice, inMallory]));
  t.same(await members({ membership: "leave" }), [outBob]);
  t.same(new Set((await members({ not_membership: "leave" })) as string[]), new Set([inAlice, inMallory]));
  t.same(
    new Set((await members({ membership: "leave", not_membership: "join" })) as string[]),
    new Set([outBob, inMallory]),
  );
  const synced = await sync(alice, { filter: JSON.stringify({ room: { timeline: { limit: 50 } } }) });
  const start = synced.room("join", roomId).timeline.prev_batch;
  t.same(await members({ at: start }), [inAlice], "a room begins with its creator");
  t.equal(await members({}, mallory), 403);
  t.same(new Set((await members({}, bob)) as string[]), new Set([inAlice, inMallory, outBob]));
  t.equal(await members({ membership: "friend" }), 400);
});

t.test("getJoinedMembersByRoom and getJoinedRooms", async (t) => {
  const user = await registerUser(server);
  const roomId = await createRoom(user, { invite: [mallory.userId] }, bob);
  await setState(bob, roomId, "m.room.member", { membership: "join", displayname: "Bob" }, bob.userId);
  const { body } = await read(user, "getJoinedMembersByRoom", roomId, "joined_members");
  t.match(body["joined"], { [bob.userId]: { display_name: "Bob", avatar_url: null } });
  t.same(new Set(Object.keys(body["joined"] as object)), new Set([user.userId, bob.userId]));
  await leave(bob, roomId);
  for (const client of [bob, mallory]) {
    t.equal((await read(client, "getJoinedMembersByRoom", roomId, "joined_members")).status, 403);
  }
  const joined = async () => (await user.get("/_matrix/client/v3/joined_rooms", "getJoinedRooms")).body;
  t.same(await joined(), { joined_rooms: [roomId] });
  await leave(user, roomId);
  t.same(await joined(), { joined_rooms: [] });
});
