import t from "tap";
import { anonymous, registerUser, type TestClient } from "../support/client.ts";
import { FakePeer } from "../support/fake-peer.ts";
import { twoServersAndPeer } from "../support/federated-room.ts";
import { assertMatchesSpec } from "../support/openapi.ts";
import { createRoom, type Json, type Query, queryOf, setState } from "../support/rooms.ts";

const { alice, bob, one: here, two: there, peer, servers } = await twoServersAndPeer(t);
const carol = await registerUser(here, "carol");
const path = "/_matrix/federation/v1/hierarchy";

const open = { preset: "public_chat" };
const closed = { preset: "private_chat" };
const asSpace = { creation_content: { type: "m.space" } };
const addChild = (client: TestClient, space: string, child: string, via: string, content: Json = {}) =>
  setState(client, space, "m.space.child", { via: [via], ...content }, child);
const letsIn = (space: string) => ({
  initial_state: [
    {
      type: "m.room.join_rules",
      state_key: "",
      content: { join_rule: "restricted", allow: [{ type: "m.room_membership", room_id: space }] },
    },
  ],
});
const join = (client: TestClient, roomId: string, via: string) =>
  client.post(`/_matrix/client/v3/join/${encodeURIComponent(roomId)}?via=${via}`, {});

function hierarchy(client: TestClient, roomId: string, query: Query = {}) {
  const { via, ...others } = query;
  const viaQuery =
    via === undefined ? "" : `${Object.keys(others).length === 0 ? "?" : "&"}via=${String(via)}`;
  const uri = `/_matrix/client/v1/rooms/${encodeURIComponent(roomId)}/hierarchy${queryOf(others)}${viaQuery}`;
  return client.get(uri, "getSpaceHierarchy");
}

async function names(client: TestClient, roomId: string, query: Query = {}): Promise<unknown> {
  const { status, body } = await hierarchy(client, roomId, query);
  return status === 200 ? (body["rooms"] as Json[]).map(({ name }) => name) : body["errcode"];
}

// On the first server: Root ── Open (suggested), Inner ── Deep, Closed, Restricted, a room of the other server
const root = await createRoom(alice, { ...open, ...asSpace, name: "Root", room_alias_name: "root" });
const room = await createRoom(alice, { ...open, name: "Open" });
const inner = await createRoom(alice, { ...open, ...asSpace, name: "Inner" });
const deep = await createRoom(alice, { ...open, name: "Deep" });
const secret = await createRoom(alice, { ...closed, name: "Closed" });
const restricted = await createRoom(alice, { ...open, name: "Restricted", ...letsIn(root) });
const theirs = await createRoom(bob, { ...open, name: "Theirs" });
const ours = await createRoom(alice, {
  ...open,
  name: "Ours alone",
  creation_content: { "m.federate": false },
});
await addChild(alice, root, room, here.name, { order: "a", suggested: true });
await addChild(alice, root, inner, here.name, { order: "b" });
await addChild(alice, inner, deep, here.name);
await addChild(alice, root, secret, here.name, { order: "c" });
await addChild(alice, root, restricted, here.name, { order: "d" });
await addChild(alice, root, theirs, there.name, { order: "e" });
await addChild(alice, root, ours, here.name, { order: "f" });

const ask = (roomId: string, query = "") =>
  peer.request(here, "GET", `${path}/${encodeURIComponent(roomId)}${query}`);

t.test(
  "getSpaceHierarchy: a space and those of its rooms that the asking server could come into",
  async (t) => {
    const { status, body } = await ask(root);
    t.equal(status, 200);
    assertMatchesSpec("getSpaceHierarchy", status, { rooms: [body["room"]] });
    t.match(body["room"], { room_id: root, name: "Root", room_type: "m.space", join_rule: "public" });
    const childState = (body["room"] as Json)["children_state"] as Json[];
    t.strictSame(
      childState.map(({ state_key: key }) => key),
      [room, inner, secret, restricted, theirs, ours],
    );
    t.match(childState[0], { type: "m.space.child", sender: alice.userId, content: { via: [here.name] } });
    t.type(childState[0]?.["origin_server_ts"], "number");
    const children = body["children"] as Json[];
    t.strictSame(
      children.map(({ name }) => name),
      ["Open", "Inner"],
    );
    t.notOk(children.some((child) => "children_state" in child));
    t.strictSame(body["inaccessible_children"], [secret, restricted, ours]);
    const suggested = await ask(root, "?suggested_only=true");
    t.strictSame(suggested.body["inaccessible_children"], []);
    t.match(suggested.body["children"], [{ name: "Open" }]);
  },
);

t.test("getSpaceHierarchy: rooms that are closed to a server, or not known, are not found", async (t) => {
  for (const roomId of [secret, restricted, ours, theirs, "!nowhere:elsewhere.test", "no room"]) {
    const { status, body } = await ask(roomId);
    t.match([status, body["errcode"]], [404, "M_NOT_FOUND"], roomId);
  }
  t.equal((await fetch(`${here.url}${path}/${encodeURIComponent(root)}`)).status, 401);
});

t.test(
  "getSpaceHierarchy: users see into a space of another server, and from theirs into others'",
  async (t) => {
    t.equal(await names(bob, root), "M_FORBIDDEN", "nobody has said where it is");
    const all = ["Root", "Open", "Inner", "Deep", "Theirs"];
    t.strictSame(await names(bob, root, { via: here.name }), all);
    t.strictSame(await names(bob, root, { via: here.name, max_depth: 0 }), ["Root"]);
    t.strictSame(await names(bob, root, { via: here.name, suggested_only: true }), ["Root", "Open"]);
    t.strictSame(await names(carol, root), ["Root", "Open", "Inner", "Deep", "Theirs", "Ours alone"]);
    const first = await hierarchy(bob, root, { via: here.name, limit: 2 });
    t.match(first.body["rooms"], [{ name: "Root" }, { name: "Open" }]);
    const second = await hierarchy(bob, root, { limit: 10, from: first.body["next_batch"] as string });
    t.match(second.body["rooms"], [{ name: "Inner" }, { name: "Deep" }, { name: "Theirs" }]);
    t.equal(second.body["next_batch"], undefined);
  },
);

t.test("getSpaceHierarchy: who is in the space sees the rooms that it opens", async (t) => {
  // The rooms are on the second server, which does not know that a member of the space asks.
  const hall = await createRoom(bob, { ...open, name: "Hall", ...letsIn(inner) });
  await addChild(alice, inner, hall, there.name);
  t.strictSame(await names(alice, inner), ["Inner", "Deep"], "it does not know who is in the space");
  t.equal((await join(bob, inner, here.name)).status, 200);
  t.strictSame(await names(alice, inner), ["Inner", "Deep", "Hall"]);
  t.strictSame(await names(carol, inner), ["Inner", "Deep"], "another user of the same server");
  const answer = await peer.request(there, "GET", `${path}/${encodeURIComponent(hall)}`);
  t.equal(answer.status, 404, "nobody of the server is in the space");
});

t.test("getRoomSummary: rooms of other servers, by ID or alias", async (t) => {
  const summary = (client: TestClient, name: string, via = "") =>
    client.get(`/_matrix/client/v1/room_summary/${encodeURIComponent(name)}${via}`, "getRoomSummary");
  const via = `?via=${here.name}`;
  for (const [name, query] of [
    [root, via],
    [`#root:${here.name}`, ""],
  ] as const) {
    const { status, body } = await summary(bob, name, query);
    t.equal(status, 200);
    t.match(body, { room_id: root, name: "Root", membership: "leave", room_type: "m.space" });
    t.type(body["room_version"], "string");
  }
  t.equal((await summary(anonymous(there), deep, via)).status, 404, "nobody else's questions are passed on");
  for (const [name, query] of [
    [secret, via],
    [restricted, via],
    [root, "?via=127.0.0.1:1"],
    [root, "?via=no%20server"],
  ] as const) {
    const { status, body } = await summary(bob, name, query);
    t.match([status, body["errcode"]], [404, "M_NOT_FOUND"], query);
  }
});

/** A space of this server with one room of the peer in it; says what the peer tells of that room. */
async function spaceWith(tell: (child: string) => Json): Promise<{ space: string; child: string }> {
  const space = await createRoom(alice, { ...open, ...asSpace, name: "Space" });
  const child = `!${Math.random().toString(36).slice(2)}:${peer.name}`;
  await addChild(alice, space, child, peer.name);
  peer.answers.set(`${path}/${encodeURIComponent(child)}`, () => ({ status: 200, body: tell(child) }));
  return { space, child };
}

const told = (fields: Json) => ({
  num_joined_members: 1,
  world_readable: false,
  guest_can_join: false,
  ...fields,
});
const space = { room_type: "m.space", join_rule: "public", name: "Peer" };
const childEvent = (roomId: string, fields: Json = {}) => ({
  type: "m.space.child",
  state_key: roomId,
  sender: peer.userId,
  content: { via: [peer.name] },
  origin_server_ts: 1,
  ...fields,
});

t.test("what another server tells of rooms in which this one is counts for nothing", async (t) => {
  const invited = await createRoom(alice, { ...closed, name: "True name" });
  const { space: top } = await spaceWith((child) => ({
    room: told({
      ...space,
      room_id: child,
      children_state: [
        childEvent(invited, { origin_server_ts: 1 }),
        childEvent(deep, { origin_server_ts: 2 }),
        childEvent(secret, { origin_server_ts: 3 }),
      ],
    }),
    children: [
      told({ room_id: invited, name: "False name", join_rule: "public" }),
      told({ room_id: secret, name: "Opened", join_rule: "public", world_readable: true }),
    ],
    inaccessible_children: [deep],
  }));
  t.strictSame(
    await names(carol, top),
    ["Space", "Peer", "Deep"],
    "those who may not see it do not, others do",
  );
  t.strictSame(await names(alice, top), ["Space", "Peer", "True name", "Deep", "Closed"]);
});

t.test("rooms that only their server can vouch for are shown to those only who could come in", async (t) => {
  const own = await createRoom(carol, { ...open, name: "Own" });
  const at = (name: string) => `!${name}:${peer.name}`;
  const rooms = {
    public: { join_rule: "public" },
    knock: { join_rule: "knock" },
    invite: { join_rule: "invite" },
    readable: { join_rule: "invite", world_readable: true },
    allowed: { join_rule: "restricted", allowed_room_ids: [own] },
    refused: { join_rule: "restricted", allowed_room_ids: [secret, 5, "x"] },
    odd: { join_rule: { not: "text" }, name: "odd", num_joined_members: -1 },
    unmentioned: { join_rule: "public" },
  };
  const { space: top } = await spaceWith((child) => ({
    room: told({
      ...space,
      room_id: child,
      children_state: [
        ...Object.keys(rooms)
          .filter((name) => name !== "unmentioned")
          .map((name, index) => childEvent(at(name), { origin_server_ts: index })),
        childEvent(at("closed")),
        childEvent("no room"),
        childEvent(at("public"), { type: "m.room.member" }),
        childEvent(at("public"), { content: {} }),
        childEvent(at("public"), { sender: "nobody" }),
        null,
      ],
    }),
    children: [
      ...Object.entries(rooms).map(([name, fields]) => told({ name, ...fields, room_id: at(name) })),
      "no room",
    ],
    inaccessible_children: [at("closed"), 5],
  }));
  const asked = peer.uris.length;
  t.strictSame(await names(carol, top), ["Space", "Peer", "public", "knock", "readable", "allowed", "odd"]);
  t.equal(peer.uris.length, asked + 1, "what is told with the space need not be asked for");
  t.strictSame(await names(alice, top), ["Space", "Peer", "public", "knock", "readable", "refused", "odd"]);
});

t.test("answers that are none, about another room, endless or late are left out", async (t) => {
  const answers: readonly ((child: string) => Json)[] = [
    () => ({}),
    () => ({ room: "text" }),
    () => ({ room: told({ ...space, room_id: deep }) }),
    (child) => ({ room: told({ ...space, room_id: child, name: "x".repeat(5 * 2 ** 20) }) }),
  ];
  for (const answer of answers) {
    await using other = await FakePeer.start(servers.tls);
    const top = await createRoom(alice, { ...open, ...asSpace, name: "Space" });
    const child = `!a:${other.name}`;
    await addChild(alice, top, child, other.name);
    await addChild(alice, top, room, here.name);
    other.answers.set(path, () => ({ status: 200, body: answer(child) }));
    t.strictSame(await names(carol, top), ["Space", "Open"]);
    t.ok(other.uris.some((uri) => uri.startsWith(path)));
  }
});

t.test("spaces that go round between servers are walked once", async (t) => {
  const { space: top } = await spaceWith((child) => ({
    room: told({ ...space, room_id: child, children_state: [childEvent(child), childEvent(root)] }),
    children: [told({ ...space, room_id: child })],
    inaccessible_children: [],
  }));
  const seen = (await names(carol, top)) as string[];
  t.strictSame(seen.slice(0, 3), ["Space", "Peer", "Root"]);
  t.equal(new Set(seen).size, seen.length);
});

t.test("rooms of servers that do not answer keep nobody waiting one after the other", async (t) => {
  await using slow = await FakePeer.start(servers.tls);
  const waiting: (() => void)[] = [];
  const begun = Promise.withResolvers<void>();
  slow.answers.set(path, async () => {
    const answered = Promise.withResolvers<void>();
    waiting.push(answered.resolve);
    if (waiting.length === 5) begun.resolve();
    await answered.promise;
    return { status: 404, body: { errcode: "M_NOT_FOUND", error: "no" } };
  });
  const top = await createRoom(alice, { ...open, ...asSpace, name: "Space" });
  for (const name of ["a", "b", "c", "d", "e"])
    await addChild(alice, top, `!${name}:${slow.name}`, slow.name);
  await addChild(alice, top, room, here.name);
  const seen = names(carol, top);
  // All are asked before the first one has answered.
  await begun.promise;
  for (const answer of waiting) answer();
  t.strictSame(await seen, ["Space", "Open"]);
});
