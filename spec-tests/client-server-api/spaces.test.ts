import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { createRoom, type Json, moderate, queryOf, type Query, redact, setState } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");

const via = ["hearth.test"];
const space = (name: string, body: Json = {}) =>
  createRoom(alice, { name, creation_content: { type: "m.space" }, ...body });
const addChild = (parent: string, child: string, content: Json = {}) =>
  setState(alice, parent, "m.space.child", { via, ...content }, child);

function hierarchy(client: TestClient, room: string, query: Query = {}) {
  const path = `/_matrix/client/v1/rooms/${encodeURIComponent(room)}/hierarchy${queryOf(query)}`;
  return client.get(path, "getSpaceHierarchy");
}

async function names(client: TestClient, room: string, query: Query = {}): Promise<unknown[]> {
  const { body } = await hierarchy(client, room, query);
  return (body["rooms"] as Json[]).map(({ name }) => name);
}

// Root ── First ── Inner ── Deep, and back to Root
//      ├─ Second (suggested), Third, Hidden (by invitation), an unknown room
const root = await space("Root");
const first = await space("First");
const inner = await space("Inner");
const deep = await createRoom(alice, { name: "Deep" });
const second = await createRoom(alice, { name: "Second" });
const third = await createRoom(alice, { name: "Third" });
const hidden = await createRoom(alice, { name: "Hidden", preset: "private_chat" });
await addChild(root, third);
await addChild(root, second, { order: "b", suggested: true });
await addChild(root, first, { order: "a" });
await addChild(root, hidden, { order: "c", suggested: true });
await addChild(root, "!unknown:hearth.test", { order: "c" });
await addChild(first, inner);
await addChild(inner, deep);
await addChild(inner, root);
await addChild(deep, third);

t.test("getSpaceHierarchy goes depth first, in order, and through no loop", async (t) => {
  t.strictSame(await names(bob, root), ["Root", "First", "Inner", "Deep", "Second", "Third"]);
  const all = ["Root", "First", "Inner", "Deep", "Second", "Hidden", "Third"];
  t.strictSame(await names(alice, root), all, "whoever is in a room sees it");
});

t.test("getSpaceHierarchy tells the children of spaces, in order", async (t) => {
  const { body } = await hierarchy(bob, root);
  const [top, ...others] = body["rooms"] as Json[];
  const children = top?.["children_state"] as Json[];
  t.strictSame(
    children.map(({ state_key: key }) => key),
    [first, second, "!unknown:hearth.test", hidden, third].sort((a, b) => orderOf(a) - orderOf(b)),
  );
  t.match(children[0], { type: "m.space.child", sender: alice.userId, content: { via, order: "a" } });
  t.match(top, { room_type: "m.space", room_version: "12", num_joined_members: 1, join_rule: "public" });
  const room = others.find(({ room_id: id }) => id === deep);
  t.strictSame(room?.["children_state"], [], "a room that is no space has none");
});

/** Hidden and the unknown room have the same `order`: the earlier one comes first. */
function orderOf(roomId: string): number {
  return [first, second, hidden, "!unknown:hearth.test", third].indexOf(roomId);
}

t.test("getSpaceHierarchy keeps to max_depth and suggested_only", async (t) => {
  t.strictSame(await names(bob, root, { max_depth: 0 }), ["Root"]);
  t.strictSame(await names(bob, root, { max_depth: 1 }), ["Root", "First", "Second", "Third"]);
  t.strictSame(await names(bob, root, { suggested_only: true }), ["Root", "Second"]);
  const { body } = await hierarchy(bob, root, { suggested_only: true });
  const [top] = body["rooms"] as Json[];
  t.match(top?.["children_state"], [{ state_key: second }, { state_key: hidden }]);
});

t.test("getSpaceHierarchy turns pages, each as often as it is asked for", async (t) => {
  const page = (from?: string) => hierarchy(bob, root, { limit: 2, from });
  const one = (await page()).body;
  const two = (await page(String(one["next_batch"]))).body;
  const again = (await page(String(one["next_batch"]))).body;
  const three = (await page(String(two["next_batch"]))).body;
  const found = [one, two, three].flatMap(({ rooms }) => (rooms as Json[]).map(({ name }) => name));
  t.strictSame(found, ["Root", "First", "Inner", "Deep", "Second", "Third"]);
  t.strictSame(again["rooms"], two["rooms"]);
});

t.test("getSpaceHierarchy refuses tokens of other requests", async (t) => {
  const { body } = await hierarchy(bob, root, { limit: 1 });
  const from = String(body["next_batch"]);
  const refused = async (client: TestClient, room: string, query: Query) => {
    const answer = await hierarchy(client, room, query);
    t.match(answer, { status: 400, body: { errcode: "M_INVALID_PARAM" } }, JSON.stringify(query));
  };
  await refused(bob, root, { from, max_depth: 1 });
  await refused(bob, root, { from, suggested_only: true });
  await refused(bob, first, { from });
  await refused(alice, root, { from });
  await refused(bob, root, { from: "elsewhere" });
  await refused(bob, root, { limit: 0 });
  await refused(bob, root, { max_depth: -1 });
  await refused(bob, root, { max_depth: "deep" });
  await refused(bob, "nonsense", {});
});

t.test("getSpaceHierarchy is for those who may see the space", async (t) => {
  const refused = async (client: TestClient, room: string, about: string) =>
    t.match(await hierarchy(client, room), { status: 403, body: { errcode: "M_FORBIDDEN" } }, about);
  const closed = await space("Closed", { preset: "private_chat" });
  await refused(bob, closed, "by invitation");
  await refused(bob, "!unknown:hearth.test", "unknown");
  await moderate(alice, closed, "invite", bob.userId);
  t.strictSame(await names(bob, closed), ["Closed"], "invited");
  const carol = await registerUser(server, "carol");
  await moderate(alice, first, "ban", carol.userId);
  await refused(carol, first, "banned");
  t.strictSame(await names(carol, root), ["Root", "Second", "Third"], "what is below is not reached");
});

t.test("getSpaceHierarchy forgets children that are taken out of the space", async (t) => {
  const parent = await space("Parent");
  const link = await addChild(parent, second);
  await addChild(parent, third);
  await setState(alice, parent, "m.space.child", { via: "nowhere" }, deep);
  t.strictSame(await names(bob, parent), ["Parent", "Second", "Third"]);
  await setState(alice, parent, "m.space.child", {}, third);
  await redact(alice, parent, link);
  t.strictSame(await names(bob, parent), ["Parent"]);
});
