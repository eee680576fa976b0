import t from "tap";
import { anonymous, registerUser, type TestClient } from "../support/client.ts";
import {
  createRoom,
  join,
  type Json,
  leave,
  queryOf,
  type Query,
  redact,
  setState,
} from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const v3 = "/_matrix/client/v3";
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");
const nobody = anonymous(server);

interface Page {
  readonly chunk: Json[];
  readonly next_batch?: string;
  readonly prev_batch?: string;
  readonly total_room_count_estimate: number;
}

async function list(query: Query = {}): Promise<Page> {
  const { body } = await nobody.get(`${v3}/publicRooms${queryOf(query)}`, "getPublicRooms");
  return body as unknown as Page;
}

async function ask(body: Json): Promise<Page> {
  const answer = await bob.post(`${v3}/publicRooms`, body, "queryPublicRooms");
  return answer.body as unknown as Page;
}

function find(term: string): Promise<Page> {
  return ask({ filter: { generic_search_term: term } });
}

const namesOf = ({ chunk }: Page) => chunk.map(({ name }) => name);

const publish = (client: TestClient, body: Json, ...members: TestClient[]) =>
  createRoom(client, { visibility: "public", ...body }, ...members);

const hall = await publish(
  alice,
  {
    name: "Große Halle",
    topic: "Café & Küche",
    room_alias_name: "halle",
    initial_state: [
      { type: "m.room.avatar", content: { url: "mxc://hearth.test/hall" } },
      { type: "m.room.history_visibility", content: { history_visibility: "world_readable" } },
      { type: "m.room.guest_access", content: { guest_access: "can_join" } },
    ],
  },
  bob,
);
await publish(alice, { name: "A space", creation_content: { type: "m.space" } });
await publish(alice, { name: "会議室" });
await publish(alice, { name: "Secret", preset: "private_chat" });
await createRoom(alice, { name: "Unlisted" });

t.test("getPublicRooms lists what is published, the largest first, each room complete", async (t) => {
  const page = await list();
  t.strictSame(page.chunk[0], {
    room_id: hall,
    name: "Große Halle",
    topic: "Café & Küche",
    canonical_alias: "#halle:hearth.test",
    avatar_url: "mxc://hearth.test/hall",
    num_joined_members: 2,
    world_readable: true,
    guest_can_join: true,
    join_rule: "public",
  });
  t.strictSame(namesOf(page), ["Große Halle", "A space", "会議室"]);
  t.equal(page.total_room_count_estimate, 4, "an estimate, which counts the secret room");
  t.equal(page.next_batch, undefined);
  t.equal(page.prev_batch, undefined);
});

t.test("getPublicRooms and queryPublicRooms turn pages in both directions", async (t) => {
  const first = await list({ limit: 1 });
  t.strictSame(namesOf(first), ["Große Halle"]);
  t.equal(first.prev_batch, undefined);
  const second = await list({ limit: 1, since: first.next_batch });
  t.strictSame(namesOf(second), ["A space"]);
  const third = await ask({ limit: 5, since: second.next_batch });
  t.strictSame(namesOf(third), ["会議室"]);
  t.equal(third.next_batch, undefined);
  const back = await ask({ limit: 1, since: third.prev_batch });
  t.strictSame(namesOf(back), ["A space"]);
  const start = await list({ limit: 10, since: back.prev_batch });
  t.strictSame(namesOf(start), ["Große Halle"]);
  t.equal(start.prev_batch, undefined, "there is nothing before the first");
  t.strictSame(namesOf(await list({ since: start.next_batch })), ["A space", "会議室"]);
});

t.test("queryPublicRooms searches names, topics and aliases, whatever case and accents", async (t) => {
  for (const term of ["grosse halle", "große", "CAFE", "kuche", "#HALLE"]) {
    const expected = term === "grosse halle" ? [] : ["Große Halle"];
    t.strictSame(namesOf(await find(term)), expected, term);
  }
  t.strictSame(namesOf(await find("議")), ["会議室"]);
  t.equal((await find("議")).total_room_count_estimate, 1);
  t.equal((await find("")).chunk.length, 3, "an empty term finds all");
  t.strictSame((await find("%")).chunk, [], "a term is no pattern");
});

t.test("queryPublicRooms tells types of rooms apart", async (t) => {
  const typed = (roomTypes: unknown) => ask({ filter: { room_types: roomTypes } });
  t.strictSame(namesOf(await typed(["m.space"])), ["A space"]);
  t.strictSame(namesOf(await typed([null])), ["Große Halle", "会議室"]);
  t.equal((await typed([null, "m.space"])).chunk.length, 3);
  t.strictSame((await typed([])).chunk, []);
});

t.test("queryPublicRooms has no rooms of networks that are not bridged", async (t) => {
  t.strictSame((await ask({ third_party_instance_id: "irc" })).chunk, []);
  t.equal((await ask({ include_all_networks: true })).chunk.length, 3);
});

t.test("getPublicRooms and queryPublicRooms refuse what cannot be", async (t) => {
  const refused = async (status: number, errcode: string, query: Query) => {
    const answer = await nobody.get(`${v3}/publicRooms${queryOf(query)}`, "getPublicRooms");
    t.match(answer, { status, body: { errcode } }, JSON.stringify(query));
  };
  await refused(400, "M_INVALID_PARAM", { limit: "many" });
  await refused(400, "M_INVALID_PARAM", { limit: 0 });
  await refused(400, "M_INVALID_PARAM", { since: "elsewhere" });
  await refused(400, "M_INVALID_PARAM", { server: "not a server" });
  await refused(401, "M_MISSING_TOKEN", { server: "other.test" });
  t.equal((await nobody.get(`${v3}/publicRooms?server=hearth.test`, "getPublicRooms")).status, 200);
  const bodies = [
    { filter: { room_types: [1] } },
    { filter: "halle" },
    { limit: "1" },
    { since: 5 },
    { include_all_networks: true, third_party_instance_id: "irc" },
  ];
  for (const body of bodies) {
    const answer = await bob.post(`${v3}/publicRooms`, body, "queryPublicRooms");
    t.equal(answer.status, 400, JSON.stringify(body));
  }
  t.equal((await nobody.post(`${v3}/publicRooms`, {}, "queryPublicRooms")).status, 401);
});

t.test("getPublicRooms follows what rooms become", async (t) => {
  const room = await publish(alice, { name: "Draft" }, bob);
  const found = async () => (await find("draft")).chunk[0];
  t.equal((await found())?.["num_joined_members"], 2);
  await leave(bob, room);
  t.equal((await found())?.["num_joined_members"], 1);
  await setState(alice, room, "m.room.topic", {
    topic: "<b>old</b>",
    "m.topic": { "m.text": [{ body: "<b>x</b>", mimetype: "text/html" }, { body: "plain" }] },
  });
  t.equal((await found())?.["topic"], "plain");
  await setState(alice, room, "m.room.avatar", { url: "https://not.an/mxc" });
  t.equal((await found())?.["avatar_url"], undefined);
  await setState(alice, room, "m.room.join_rules", { join_rule: "invite" });
  t.equal(await found(), undefined, "nobody could come in");
  await setState(alice, room, "m.room.join_rules", { join_rule: "knock" });
  t.equal((await found())?.["join_rule"], "knock");
  await setState(alice, room, "m.room.join_rules", { join_rule: "restricted", allow: [] });
  t.equal((await found())?.["join_rule"], "restricted", "some could come in");
  const named = await setState(alice, room, "m.room.name", { name: "Draft 2" });
  await redact(alice, room, named);
  t.equal(await found(), undefined, "a redacted name is none");
  const all = await list();
  t.equal(all.chunk.find(({ room_id: id }) => id === room)?.["name"], undefined);
  await leave(alice, room);
  t.notOk(
    (await list()).chunk.some(({ room_id: id }) => id === room),
    "nobody is in it",
  );
});

t.test("getRoomSummary tells of a room to those who may know of it", async (t) => {
  const summary = (client: TestClient, room: string, path = "v1/room_summary") =>
    client.get(`/_matrix/client/${path}/${encodeURIComponent(room)}`, "getRoomSummary");
  const expected = {
    room_id: hall,
    name: "Große Halle",
    num_joined_members: 2,
    world_readable: true,
    room_version: "12",
  };
  t.match(await summary(nobody, hall), { status: 200, body: { ...expected, membership: undefined } });
  t.match((await summary(bob, "#halle:hearth.test")).body, { ...expected, membership: "join" });
  const old = await summary(bob, hall, "unstable/im.nheko.summary/summary");
  t.match(old.body, { ...expected, membership: "join", "im.nheko.summary.version": "12" });

  const encryption = { algorithm: "m.megolm.v1.aes-sha2" };
  const closed = await createRoom(alice, {
    preset: "private_chat",
    initial_state: [{ type: "m.room.encryption", content: encryption }],
  });
  t.match(await summary(bob, closed), { status: 404, body: { errcode: "M_NOT_FOUND" } });
  await alice.post(`${v3}/rooms/${encodeURIComponent(closed)}/invite`, { user_id: bob.userId });
  t.match((await summary(bob, closed)).body, { membership: "invite", encryption: encryption.algorithm });
  t.equal((await summary(nobody, closed)).status, 404);

  const allow = [{ type: "m.room_membership", room_id: hall }];
  const restricted = await createRoom(alice, {
    initial_state: [{ type: "m.room.join_rules", content: { join_rule: "restricted", allow } }],
  });
  t.match((await summary(bob, restricted)).body, { allowed_room_ids: [hall], membership: "leave" });
  t.equal((await summary(nobody, restricted)).status, 404);
  const carol = await registerUser(server, "carol");
  t.equal((await summary(carol, restricted)).status, 404);
  await join(carol, hall);
  t.equal((await summary(carol, restricted)).status, 200);
  const before = await createRoom(alice, {
    room_version: "6",
    initial_state: [{ type: "m.room.join_rules", content: { join_rule: "knock" } }],
  });
  t.equal((await summary(carol, before)).status, 404, "nobody knocks on rooms of this version");

  t.equal((await summary(bob, "#nowhere:hearth.test")).status, 404);
  t.equal((await summary(bob, "!nowhere:hearth.test")).status, 404);
  t.match(await summary(bob, "nonsense"), { status: 400, body: { errcode: "M_INVALID_PARAM" } });
});
