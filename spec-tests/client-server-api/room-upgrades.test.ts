import t, { type Test } from "tap";
import { anonymous, registerUser, type TestClient } from "../support/client.ts";
import { createRoom, join, type Json, moderate, read, say, setState } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";
import { until } from "../support/within.ts";

const v3 = "/_matrix/client/v3";
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");
const carol = await registerUser(server, "carol");

const ask = (client: TestClient, room: string, body: unknown) =>
  client.post(`${v3}/rooms/${encodeURIComponent(room)}/upgrade`, body, "upgradeRoom");

async function upgrade(client: TestClient, room: string, version: string, more: Json = {}): Promise<string> {
  const { status, body } = await ask(client, room, { new_version: version, ...more });
  if (status !== 200) throw new Error(`upgradeRoom answered ${status} ${JSON.stringify(body)}`);
  return String(body["replacement_room"]);
}

/** The content of a state event; `undefined` when there is none. */
async function state(room: string, type: string, key = "", client = alice): Promise<Json | undefined> {
  const { status, body } = await read(client, undefined, room, `state/${type}/${encodeURIComponent(key)}`);
  return status === 200 ? body : undefined;
}

const allState = [
  { type: "m.room.history_visibility", content: { history_visibility: "world_readable" } },
  { type: "m.room.guest_access", content: { guest_access: "forbidden" } },
  { type: "m.room.server_acl", content: { allow: ["*"], deny: ["evil.test"] } },
  { type: "m.room.encryption", content: { algorithm: "m.megolm.v1.aes-sha2" } },
  { type: "m.room.avatar", content: { url: "mxc://hearth.test/avatar" } },
  { type: "m.room.name", content: { name: "Hall" } },
  { type: "m.room.topic", content: { topic: "Fire" } },
  { type: "m.room.join_rules", content: { join_rule: "knock" } },
];

t.test(
  "upgradeRoom makes a room with the state of the old one, which it points to and is pointed to from",
  async (t) => {
    const old = await createRoom(alice, {
      room_version: "10",
      preset: "private_chat",
      initial_state: [...allState, { type: "org.example.other", content: { a: 1 } }],
      invite: [bob.userId],
    });
    await moderate(alice, old, "ban", carol.userId);
    await say(alice, old, "the last word");
    const room = await upgrade(alice, old, "12");
    for (const { type, content } of allState) t.strictSame(await state(room, type), content, type);
    t.equal(await state(room, "org.example.other"), undefined, "what depends on its sender stays behind");
    t.equal(await state(room, "m.room.member", bob.userId), undefined);
    t.match(await state(room, "m.room.member", carol.userId), { membership: "ban" });
    const create = await state(room, "m.room.create");
    t.equal(create?.["room_version"], "12");
    t.strictSame(create?.["predecessor"], { room_id: old });
    t.strictSame(await state(old, "m.room.tombstone"), {
      body: "This room has been replaced",
      replacement_room: room,
    });
    t.match(await state(old, "m.room.power_levels"), { events_default: 50, invite: 50 });
    t.match(await state(room, "m.room.power_levels"), {
      users: {},
      events_default: 0,
      invite: 0,
      events: { "m.room.tombstone": 150, "m.room.name": 50 },
    });
  },
);

t.test("upgradeRoom takes rooms of every version to every other", async (t) => {
  for (let from = 1; from <= 12; from++) {
    for (const to of new Set([1, 6, 7, 9, 11, 12, from])) {
      const old = await createRoom(alice, { room_version: String(from), name: `From ${from}` });
      const room = await upgrade(alice, old, String(to));
      const create = await state(room, "m.room.create");
      t.match(create, { room_version: String(to), predecessor: { room_id: old } }, `${from} to ${to}`);
      const { event_id: last } = (create?.["predecessor"] ?? {}) as Json;
      t.equal(last !== undefined, to < 12, "the last event of the old room, until room version 11");
      t.strictSame(await state(room, "m.room.name"), { name: `From ${from}` });
      t.type(await setState(alice, room, "m.room.name", { name: "Renamed" }), "string", "it can be used");
      const levels = (await state(room, "m.room.power_levels"))?.["users"] as Json;
      t.equal(levels[alice.userId], to === 12 ? undefined : 100, `${from} to ${to}`);
    }
  }
});

t.test("upgradeRoom keeps join rules that the new version has, and closes the room otherwise", async (t) => {
  const hall = await createRoom(alice);
  const allow = [{ type: "m.room_membership", room_id: hall }];
  const rules = async (rule: string, to: string) => {
    const content = { join_rule: rule, allow };
    const old = await createRoom(alice, {
      room_version: "10",
      initial_state: [{ type: "m.room.join_rules", content }],
    });
    return state(await upgrade(alice, old, to), "m.room.join_rules");
  };
  t.strictSame(await rules("restricted", "11"), { join_rule: "restricted", allow });
  t.strictSame(await rules("restricted", "7"), { join_rule: "invite" });
  t.strictSame(await rules("knock_restricted", "9"), { join_rule: "restricted", allow });
  t.strictSame(await rules("knock_restricted", "7"), { join_rule: "knock" });
  t.strictSame(await rules("knock", "6"), { join_rule: "invite" });
});

t.test("upgradeRoom makes additional creators, where the version has them", async (t) => {
  const more = { additional_creators: [bob.userId, alice.userId, bob.userId] };
  const levels = { users: { [alice.userId]: 100, [bob.userId]: 100, [carol.userId]: 50 } };
  const old = await createRoom(alice, { room_version: "11", power_level_content_override: levels }, bob);
  const room = await upgrade(alice, old, "12", more);
  t.match(await state(room, "m.room.create"), { additional_creators: [bob.userId] });
  t.strictSame((await state(room, "m.room.power_levels"))?.["users"], { [carol.userId]: 50 });
  const plain = await upgrade(alice, room, "12");
  t.equal(
    (await state(plain, "m.room.create"))?.["additional_creators"],
    undefined,
    "they are not taken over",
  );
  const older = await upgrade(alice, await createRoom(alice), "11", more);
  t.equal((await state(older, "m.room.create"))?.["additional_creators"], undefined);
  const back = await upgrade(alice, room, "11");
  const users = { [alice.userId]: 100, [bob.userId]: 100, [carol.userId]: 50 };
  t.strictSame((await state(back, "m.room.power_levels"))?.["users"], users, "creators stay administrators");
});

t.test(
  "upgradeRoom lets a moderator upgrade who may, and gives them no more power than before",
  async (t) => {
    const users = { [alice.userId]: 100, [bob.userId]: 60 };
    const events = { "m.room.tombstone": 60, "m.room.power_levels": 100, "org.example.rare": 90 };
    const override = { users, events, state_default: 50 };
    const old = await createRoom(alice, { room_version: "9", power_level_content_override: override }, bob);
    await setState(alice, old, "m.room.server_acl", { allow: ["*"] });
    const room = await upgrade(bob, old, "11");
    t.match(await state(room, "m.room.power_levels", "", bob), { users, events });
    t.match(await state(room, "m.room.server_acl", "", bob), { allow: ["*"] });
    t.match(await state(old, "m.room.tombstone"), { replacement_room: room });
    t.equal((await state(old, "m.room.power_levels"))?.["events_default"], 0, "bob may not change these");
  },
);

t.test("upgradeRoom moves aliases and the place in the directory", async (t) => {
  const old = await createRoom(alice, { visibility: "public", room_alias_name: "first", room_version: "11" });
  const put = { room_id: old };
  await alice.put(`${v3}/directory/room/${encodeURIComponent("#second:hearth.test")}`, put);
  const content = { alias: "#first:hearth.test", alt_aliases: ["#second:hearth.test"] };
  await setState(alice, old, "m.room.canonical_alias", content);
  const room = await upgrade(alice, old, "12");
  for (const alias of ["#first:hearth.test", "#second:hearth.test"]) {
    const { body } = await bob.get(`${v3}/directory/room/${encodeURIComponent(alias)}`, "getRoomIdByAlias");
    t.equal(body["room_id"], room, alias);
  }
  t.strictSame(await state(room, "m.room.canonical_alias"), content);
  t.strictSame(await state(old, "m.room.canonical_alias"), { alt_aliases: [] });
  const visibility = async (id: string) =>
    (await bob.get(`${v3}/directory/list/room/${encodeURIComponent(id)}`)).body["visibility"];
  t.equal(await visibility(old), "private");
  t.equal(await visibility(room), "public");
});

t.test("upgradeRoom keeps a space a space, with its children", async (t) => {
  const child = await createRoom(alice);
  const creation = { type: "m.space", "m.federate": false };
  const old = await createRoom(alice, { room_version: "10", creation_content: creation });
  await setState(alice, old, "m.space.child", { via: ["hearth.test"], order: "a" }, child);
  await setState(alice, old, "m.space.child", {}, "!gone:hearth.test");
  const room = await upgrade(alice, old, "12");
  t.match(await state(room, "m.room.create"), creation);
  t.strictSame(await state(room, "m.space.child", child), { via: ["hearth.test"], order: "a" });
  t.equal(await state(room, "m.space.child", "!gone:hearth.test"), undefined);
});

t.test("upgradeRoom, joinRoomById: members find their own settings in the new room", async (t) => {
  const old = await createRoom(alice, {}, bob);
  const own = (user: TestClient, path: string) => `${v3}/user/${encodeURIComponent(user.userId)}/${path}`;
  const tags = (user: TestClient, id: string) => own(user, `rooms/${encodeURIComponent(id)}/tags`);
  const rule = (kind: string, id: string) => `${v3}/pushrules/global/${kind}/${encodeURIComponent(id)}`;
  const isRoom = { kind: "event_match", key: "room_id" };
  for (const user of [alice, bob]) {
    await user.put(`${tags(user, old)}/m.favourite`, { order: 0.5 });
    await user.put(rule("room", old), { actions: ["notify"] });
    await user.put(rule("override", old), { actions: [], conditions: [{ ...isRoom, pattern: old }] });
    await user.put(own(user, "account_data/m.direct"), { [carol.userId]: [old], "@x:y": ["!z:y"] });
  }
  await bob.put(`${rule("room", old)}/enabled`, { enabled: false });
  const room = await upgrade(alice, old, "12");
  t.strictSame((await bob.get(tags(bob, room))).body["tags"], {}, "bob has not come yet");
  await join(bob, room);
  for (const user of [alice, bob]) {
    t.strictSame((await user.get(tags(user, room))).body["tags"], { "m.favourite": { order: 0.5 } });
    t.match((await user.get(rule("room", room))).body, { actions: ["notify"], enabled: user === alice });
    const { body } = await user.get(rule("override", room));
    t.strictSame(body["conditions"], [{ ...isRoom, pattern: room }]);
    const direct = await user.get(own(user, "account_data/m.direct"));
    t.strictSame(direct.body, { [carol.userId]: [old, room], "@x:y": ["!z:y"] });
  }
  const impostor = await createRoom(alice, { creation_content: { predecessor: { room_id: old } } }, bob);
  t.strictSame((await bob.get(tags(bob, impostor))).body["tags"], {}, "the old room does not point to it");
});

t.test(
  "setRoomStateWithKey: a tombstone carries over the settings of those who are there already",
  async (t) => {
    const old = await createRoom(alice, { room_version: "10" }, bob);
    const rule = (id: string) => `${v3}/pushrules/global/room/${encodeURIComponent(id)}`;
    for (const user of [alice, bob]) await user.put(rule(old), { actions: ["notify"] });
    const predecessor = { room_id: old, event_id: await say(alice, old, "the last word") };
    const room = await createRoom(alice, { room_version: "11", creation_content: { predecessor } });
    t.equal((await alice.get(rule(room))).status, 404);
    await setState(alice, old, "m.room.tombstone", { body: "We have moved", replacement_room: room });
    await until(30_000, "alice's rule", async () => (await alice.get(rule(room))).status === 200);
    t.match((await alice.get(rule(room))).body, { actions: ["notify"], enabled: true });
    t.equal((await bob.get(rule(room))).status, 404, "bob has not come yet");
    await join(bob, room);
    t.match((await bob.get(rule(room))).body, { actions: ["notify"], enabled: true });
    for (const replacement_room of ["!nowhere:hearth.test", 7]) {
      await setState(alice, room, "m.room.tombstone", { body: "On again", replacement_room });
    }
  },
);

t.test("upgradeRoom makes one room of a request that is repeated meanwhile", async (t) => {
  const old = await createRoom(alice);
  const rooms = await Promise.all([upgrade(alice, old, "12"), upgrade(alice, old, "12")]);
  t.equal(rooms[0], rooms[1]);
});

t.test("upgradeRoom refuses what cannot be, and changes nothing then", async (t) => {
  const old = await createRoom(alice, { preset: "public_chat", room_version: "10" });
  const refused = async (test: Test, client: TestClient, body: unknown, status: number, errcode: string) =>
    test.match(await ask(client, old, body), { status, body: { errcode } }, JSON.stringify(body));
  const body = { new_version: "12" };
  await refused(t, bob, body, 403, "M_FORBIDDEN");
  await join(bob, old);
  await refused(t, bob, body, 403, "M_FORBIDDEN");
  await refused(t, alice, { new_version: "99" }, 400, "M_UNSUPPORTED_ROOM_VERSION");
  await refused(t, alice, {}, 400, "M_BAD_JSON");
  await refused(t, alice, { new_version: 12 }, 400, "M_BAD_JSON");
  await refused(t, alice, { ...body, additional_creators: ["bob"] }, 400, "M_INVALID_PARAM");
  await refused(t, alice, { ...body, additional_creators: "bob" }, 400, "M_BAD_JSON");
  await refused(t, anonymous(server), body, 401, "M_MISSING_TOKEN");
  t.match(await ask(alice, "nonsense", body), { status: 400, body: { errcode: "M_INVALID_PARAM" } });
  t.match(await ask(alice, "!unknown:hearth.test", body), { status: 403 });
  t.equal(await state(old, "m.room.tombstone"), undefined);
});
