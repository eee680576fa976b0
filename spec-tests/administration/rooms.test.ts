import t from "tap";
import { registerAdmin, registerUser } from "../support/client.ts";
import {
  bodiesOf,
  createRoom,
  join,
  leave,
  type Json,
  queryOf,
  say,
  setState,
  type TestEvent,
} from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

const admin = await registerAdmin(server);
const rooms = "/_synapse/admin/v1/rooms";
const of = (roomId: string, path = "") => `${rooms}/${encodeURIComponent(roomId)}${path}`;

async function list(query: Record<string, string | number | boolean> = {}) {
  const { status, body } = await admin.get(`${rooms}${queryOf(query)}`);
  return { status, body, rooms: (body["rooms"] ?? []) as Json[] };
}

async function auditedActs(target: string): Promise<unknown> {
  const acts = await admin.get(`/_hearth/admin/v1/audit_log?target=${encodeURIComponent(target)}`);
  return acts.body["acts"];
}

t.test("adminListRooms, adminGetRoom: what a room is, as its state and members make it", async (t) => {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  const roomId = await createRoom(
    alice,
    {
      visibility: "public",
      name: "Écluse",
      topic: "locks",
      room_alias_name: "ecluse",
      room_version: "10",
      creation_content: { "m.federate": false, type: "m.space" },
    },
    bob,
  );
  await setState(alice, roomId, "m.room.avatar", { url: "mxc://hearth.test/a" });
  await setState(alice, roomId, "m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" });
  const state = await admin.get(of(roomId, "/state"));
  const expected = {
    room_id: roomId,
    name: "Écluse",
    canonical_alias: "#ecluse:hearth.test",
    joined_members: 2,
    joined_local_members: 2,
    version: "10",
    creator: alice.userId,
    encryption: "m.megolm.v1.aes-sha2",
    federatable: false,
    public: true,
    join_rules: "public",
    guest_access: null,
    history_visibility: "shared",
    state_events: (state.body["state"] as TestEvent[]).length,
    room_type: "m.space",
  };
  const found = await list({ search_term: "eCLUSE" });
  t.equal((await list({ search_term: "hearth.test" })).body["total_rooms"], 0, "every alias ends like this");
  t.strictSame(found.body, { offset: 0, rooms: [expected], total_rooms: 1 });
  const details = {
    ...expected,
    topic: "locks",
    avatar: "mxc://hearth.test/a",
    joined_local_devices: 2,
    forgotten: false,
    tombstoned: false,
    replacement_room: null,
  };
  t.strictSame((await admin.get(of(roomId))).body, details);
  await setState(alice, roomId, "m.room.tombstone", { body: "gone", replacement_room: "!new:hearth.test" });
  await leave(bob, roomId);
  await leave(alice, roomId);
  for (const user of [alice, bob]) {
    await user.post(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/forget`, {});
  }
  t.match((await admin.get(of(roomId))).body, {
    joined_members: 0,
    joined_local_devices: 0,
    state_events: expected.state_events + 1,
    forgotten: true,
    tombstoned: true,
    replacement_room: "!new:hearth.test",
  });
  t.equal((await list({ empty_rooms: true, search_term: "ecluse" })).body["total_rooms"], 1);
  t.equal((await list({ empty_rooms: false, search_term: "ecluse" })).body["total_rooms"], 0);
});

t.test("adminListRooms: orders, filters and pages", async (t) => {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  const small = await createRoom(alice, { name: "Paging b", room_version: "9" });
  const large = await createRoom(alice, { name: "paging A", room_version: "10" }, bob);
  const hidden = await createRoom(alice, { name: "Paging c", visibility: "public", preset: "private_chat" });
  const ids = async (query: Record<string, string | number | boolean>) =>
    (await list({ search_term: "paging", ...query })).rooms.map((room) => room["room_id"]);
  t.strictSame(await ids({}), [large, small, hidden], "by name");
  t.strictSame(await ids({ dir: "b" }), [hidden, small, large]);
  t.equal((await ids({ order_by: "size" }))[0], large);
  t.equal((await ids({ order_by: "joined_local_members", dir: "b" }))[2], large);
  t.equal((await ids({ order_by: "version", dir: "b" }))[0], small);
  t.equal((await ids({ order_by: "public", dir: "b" }))[0], hidden);
  t.equal((await ids({ order_by: "join_rules" }))[0], hidden);
  t.strictSame(await ids({ public_rooms: true }), [hidden]);
  t.strictSame(await ids({ public_rooms: false }), [large, small]);
  t.strictSame(await ids({ search_term: small.slice(0, 9) }), [small], "the beginning of the room ID");
  const orders = ["alphabetical", "canonical_alias", "joined_members", "creator", "encryption"];
  for (const order of [...orders, "federatable", "guest_access", "history_visibility", "state_events"]) {
    t.strictSame(new Set(await ids({ order_by: order })), new Set([small, large, hidden]), order);
    t.strictSame(await ids({ order_by: order, dir: "b" }), (await ids({ order_by: order })).toReversed());
  }
  const first = await list({ search_term: "paging", limit: 2 });
  t.match(first.body, { offset: 0, total_rooms: 3, next_batch: 2, prev_batch: undefined });
  const second = await list({ search_term: "paging", limit: 2, from: Number(first.body["next_batch"]) });
  t.match(second.body, { offset: 2, total_rooms: 3, prev_batch: 0, next_batch: undefined });
  t.strictSame(
    second.rooms.map((room) => room["room_id"]),
    [hidden],
  );
  for (const bad of [{ order_by: "age" }, { search_term: "" }, { dir: "x" }, { from: -1 }, { limit: "x" }]) {
    const answer = await list(bad);
    t.match(answer, { status: 400, body: { errcode: "M_INVALID_PARAM" } }, JSON.stringify(bad));
  }
});

t.test(
  "adminGetRoomMembers, adminGetRoomState, adminGetRoomMessages, adminGetRoomEventContext, " +
    "adminGetRoomEventByTimestamp, adminFetchEvent: a closed room is read without being in it",
  async (t) => {
    const alice = await registerUser(server);
    const bob = await registerUser(server);
    const roomId = await createRoom(alice, { preset: "private_chat", name: "Closed" });
    await setState(alice, roomId, "m.room.history_visibility", { history_visibility: "joined" });
    const first = await say(alice, roomId, "one");
    const second = await say(alice, roomId, "two");
    const members = await admin.get(of(roomId, "/members"));
    t.strictSame(members.body, { members: [alice.userId], total: 1 });
    const state = (await admin.get(of(roomId, "/state"))).body["state"] as TestEvent[];
    t.ok(state.some(({ type, room_id: room }) => type === "m.room.create" && room === roomId));
    const names = await admin.get(of(roomId, "/state?type=m.room.name"));
    t.match(names.body["state"], [{ type: "m.room.name", state_key: "", content: { name: "Closed" } }]);
    t.strictSame((await admin.get(of(roomId, "/state?type=org.example.none"))).body["state"], []);
    const page = await admin.get(of(roomId, "/messages?dir=b&limit=2"));
    t.strictSame(bodiesOf(page.body["chunk"] as TestEvent[]), ["two", "one"]);
    const from = encodeURIComponent(String(page.body["end"]));
    const earlier = await admin.get(of(roomId, `/messages?dir=b&limit=50&from=${from}`));
    t.equal((earlier.body["chunk"] as TestEvent[]).at(-1)?.type, "m.room.create");
    t.equal(earlier.body["end"], undefined);
    const forwards = await admin.get(of(roomId, "/messages?limit=1"));
    t.match(forwards.body["chunk"], [{ type: "m.room.create" }], "forwards unless it is said otherwise");
    const context = await admin.get(of(roomId, `/context/${encodeURIComponent(first)}?limit=2`));
    t.match(context.body, { event: { event_id: first }, events_after: [{ event_id: second }] });
    const closest = await admin.get(of(roomId, `/timestamp_to_event?ts=${Date.now() + 1000}&dir=b`));
    t.match(closest.body, { event_id: second, origin_server_ts: Number });
    t.match((await admin.get(of(roomId, "/timestamp_to_event?ts=0"))).body, { event_id: state[0]?.event_id });
    const { body } = await admin.get(`/_synapse/admin/v1/fetch_event/${encodeURIComponent(second)}`);
    t.match(body["event"], {
      event_id: second,
      room_id: roomId,
      content: { body: "two" },
      prev_events: [first],
      signatures: { "hearth.test": Object },
    });
    const mine = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/messages?dir=b`;
    for (const user of [admin, bob])
      t.equal((await user.get(mine)).status, 403, "clients see what users may");
  },
);

t.test("adminGetRoomHierarchy: a space with its closed rooms", async (t) => {
  const alice = await registerUser(server);
  const space = await createRoom(alice, {
    preset: "private_chat",
    name: "Space",
    creation_content: { type: "m.space" },
  });
  const child = await createRoom(alice, { preset: "private_chat", name: "Child" });
  await setState(alice, space, "m.space.child", { via: ["hearth.test"] }, child);
  const { body } = await admin.get(of(space, "/hierarchy"));
  t.match(body["rooms"], [{ room_id: space, children_state: [{ state_key: child }] }, { room_id: child }]);
  const first = await admin.get(of(space, "/hierarchy?limit=1"));
  const from = encodeURIComponent(String(first.body["next_batch"]));
  const next = await admin.get(of(space, `/hierarchy?limit=1&from=${from}`));
  t.match(next.body["rooms"], [{ room_id: child }]);
  t.equal(((await admin.get(of(space, "/hierarchy?max_depth=0"))).body["rooms"] as Json[]).length, 1);
  t.equal((await admin.get(of("!unknown:hearth.test", "/hierarchy"))).status, 403);
});

t.test("adminJoinRoom: a user comes into a room, invited by the administrator where needed", async (t) => {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  const open = await createRoom(alice, { room_alias_name: "open-to-all" });
  const closed = await createRoom(alice, { preset: "private_chat" });
  const path = (name: string) => `/_synapse/admin/v1/join/${encodeURIComponent(name)}`;
  const joined = await admin.post(path("#open-to-all:hearth.test"), { user_id: bob.userId });
  t.match(joined, { status: 200, body: { room_id: open } });
  t.equal((await admin.post(path(open), { user_id: bob.userId })).status, 200, "who is in it stays");
  const refused = await admin.post(path(closed), { user_id: bob.userId });
  t.match(refused, { status: 403, body: { errcode: "M_FORBIDDEN" } }, "the administrator is not in it");
  await alice.post(`/_matrix/client/v3/rooms/${encodeURIComponent(closed)}/invite`, {
    user_id: admin.userId,
  });
  await join(admin, closed);
  t.equal((await admin.post(path(closed), { user_id: bob.userId })).status, 200);
  t.match((await bob.get("/_matrix/client/v3/joined_rooms")).body, { joined_rooms: { length: 2 } });
  t.match(await auditedActs(closed), [
    {
      action: "adminJoinRoom",
      outcome: "done",
      before: { membership: "leave" },
      after: { membership: "join" },
    },
    { action: "adminJoinRoom", outcome: "refused" },
  ]);
  for (const [user, status] of [
    ["@nobody:hearth.test", 404],
    ["@a:elsewhere.test", 400],
    ["nobody", 400],
  ] as const) {
    t.equal((await admin.post(path(open), { user_id: user })).status, status, user);
  }
  t.equal((await admin.post(path("nowhere"), { user_id: bob.userId })).status, 400);
  t.equal((await admin.post(path("#nowhere:hearth.test"), { user_id: bob.userId })).status, 404);
  t.equal((await admin.post(path(open), {})).status, 400);
});

t.test("adminMakeRoomAdmin: the power of the most powerful user of this server", async (t) => {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  for (const version of ["10", "12"]) {
    const roomId = await createRoom(alice, { preset: "private_chat", room_version: version });
    const answer = await admin.post(of(roomId, "/make_room_admin"), { user_id: bob.userId });
    t.match(answer, { status: 200, body: {} });
    const key = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state/m.room.power_levels/`;
    t.equal(((await alice.get(key)).body["users"] as Record<string, number>)[bob.userId], 100, version);
    await join(bob, roomId);
    t.equal((await admin.post(of(roomId, "/make_room_admin"), {})).status, 200, "the administrator");
    await join(admin, roomId);
    t.match(await auditedActs(roomId), [
      { action: "adminMakeRoomAdmin", before: { membership: "leave" }, after: { membership: "invite" } },
      { before: { power_level: 0 }, after: { power_level: 100 } },
    ]);
  }
  const left = await createRoom(alice, { room_alias_name: "left-alone" }, bob);
  await leave(alice, left);
  const nobody = await admin.post(of("#left-alone:hearth.test", "/make_room_admin"), {});
  t.match(nobody, { status: 400, body: { errcode: "M_UNKNOWN" } }, "nobody has the power");
  t.equal((await admin.post(of(left, "/make_room_admin"), { user_id: "bob" })).status, 400);
  t.equal((await admin.post(of(left, "/make_room_admin"), { user_id: 5 })).status, 400);
  t.equal((await admin.post(of("!unknown:hearth.test", "/make_room_admin"), {})).status, 404);
});

t.test("adminGetForwardExtremities, adminDeleteForwardExtremities: the ends of a room's graph", async (t) => {
  const alice = await registerUser(server);
  const roomId = await createRoom(alice, { room_alias_name: "ends" });
  const last = await say(alice, roomId, "the end");
  const { body } = await admin.get(of("#ends:hearth.test", "/forward_extremities"));
  t.match(body, {
    count: 1,
    results: [{ event_id: last, state_group: Number, depth: Number, received_ts: Number }],
  });
  t.strictSame((await admin.delete(of(roomId, "/forward_extremities"))).body, { deleted: 0 });
  t.strictSame((await admin.get(of(roomId, "/forward_extremities"))).body, body, "one end stays");
  t.match(await auditedActs(roomId), [{ action: "adminDeleteForwardExtremities", outcome: "done" }]);
  t.equal((await admin.delete(of("!unknown:hearth.test", "/forward_extremities"))).status, 404);
  t.equal((await admin.get(of("ends", "/forward_extremities"))).status, 400);
});

t.test("adminGetRoom, adminGetRoomMembers ...: unknown rooms and events", async (t) => {
  const roomId = await createRoom(await registerUser(server), {});
  for (const path of ["", "/members", "/state", "/messages", "/context/$a", "/timestamp_to_event?ts=1"]) {
    t.match(await admin.get(of("!unknown:hearth.test", path)), { status: 404 }, path);
    t.match(await admin.get(of("not-a-room", path)), { status: 400 }, path);
  }
  t.equal((await admin.get(of(roomId, "/context/$unknown"))).status, 404);
  t.equal((await admin.get("/_synapse/admin/v1/fetch_event/$unknown")).status, 404);
  t.equal((await admin.get(of(roomId, "/timestamp_to_event?ts=0&dir=b"))).status, 404);
  t.equal((await admin.get(of(roomId, "/timestamp_to_event"))).status, 400);
  t.equal((await admin.get(of(roomId, "/messages?from=nonsense"))).status, 400);
});

t.test("adminListRooms, adminGetRoom ...: for administrators only", async (t) => {
  const alice = await registerUser(server);
  const roomId = await createRoom(alice, {});
  const paths = ["", "/members", "/state", "/messages", "/hierarchy", "/forward_extremities", "/context/$a"];
  const answers = await Promise.all([
    alice.get(rooms),
    ...paths.map((path) => alice.get(of(roomId, path))),
    alice.get(of(roomId, "/timestamp_to_event?ts=1")),
    alice.get("/_synapse/admin/v1/fetch_event/$a"),
    alice.delete(of(roomId, "/forward_extremities")),
    alice.post(of(roomId, "/make_room_admin"), {}),
    alice.post(`/_synapse/admin/v1/join/${encodeURIComponent(roomId)}`, { user_id: alice.userId }),
  ]);
  for (const answer of answers) t.match(answer, { status: 403, body: { errcode: "M_FORBIDDEN" } });
});
