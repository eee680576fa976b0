import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { createRoom, type Query, read, redact, say, send, type TestEvent } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");
const carol = await registerUser(server, "carol");

function reply(client: TestClient, roomId: string, rootId: string): Promise<string> {
  return send(client, roomId, "m.room.message", {
    msgtype: "m.text",
    body: "reply",
    "m.relates_to": { rel_type: "m.thread", event_id: rootId },
  });
}

async function threads(client: TestClient, roomId: string, query: Query = {}) {
  const { status, body } = await read(client, "getThreadRoots", roomId, "threads", query, "v1");
  const chunk = (body["chunk"] ?? []) as TestEvent[];
  return {
    status,
    chunk,
    ids: chunk.map(({ event_id }) => event_id),
    next: body["next_batch"] as string | undefined,
  };
}

t.test("getThreadRoots: by their newest reply, in pages", async (t) => {
  const roomId = await createRoom(alice, {}, bob);
  t.same((await threads(alice, roomId)).ids, []);
  const roots: string[] = [];
  for (let index = 0; index < 5; index++) roots.push(await say(alice, roomId, `${index}`));
  for (const root of roots) await reply(bob, roomId, root);
  t.same((await threads(alice, roomId)).ids, roots.toReversed());
  const [oldest = ""] = roots;
  await reply(bob, roomId, oldest);
  const order = [oldest, ...roots.slice(1).toReversed()];
  const first = await threads(alice, roomId, { limit: 2 });
  t.same(first.ids, order.slice(0, 2));
  const second = await threads(alice, roomId, { limit: 2, from: first.next });
  t.same(second.ids, order.slice(2, 4));
  const third = await threads(alice, roomId, { limit: 2, from: second.next });
  t.same(third.ids, order.slice(4));
  t.equal(third.next, undefined);
  t.match(first.chunk[0], { room_id: roomId, unsigned: { "m.relations": { "m.thread": { count: 2 } } } });
});

t.test("getThreadRoots: those that the user has taken part in", async (t) => {
  const roomId = await createRoom(alice, {}, bob, carol);
  const ofAlice = await say(alice, roomId, "alice");
  const ofBob = await say(bob, roomId, "bob");
  await reply(bob, roomId, ofAlice);
  await reply(carol, roomId, ofBob);
  const taken = async (client: TestClient) =>
    (await threads(client, roomId, { include: "participated" })).ids;
  t.same(await taken(alice), [ofAlice]);
  t.same(await taken(bob), [ofBob, ofAlice]);
  t.same(await taken(carol), [ofBob]);
});

t.test("getThreadRoots: a thread whose last reply is redacted is none", async (t) => {
  const roomId = await createRoom(alice);
  const root = await say(alice, roomId, "root");
  const older = await say(alice, roomId, "older");
  await reply(alice, roomId, older);
  const first = await reply(alice, roomId, root);
  const second = await reply(alice, roomId, root);
  await reply(alice, roomId, older);
  await redact(alice, roomId, second);
  t.same((await threads(alice, roomId)).ids, [older, root]);
  await redact(alice, roomId, first);
  t.same((await threads(alice, roomId)).ids, [older]);
});

t.test("getThreadRoots: a root by somebody ignored is shown without its content", async (t) => {
  const reader = await registerUser(server);
  const roomId = await createRoom(bob, {}, alice, reader);
  const root = await say(bob, roomId, "hidden");
  await reply(alice, roomId, root);
  await reader.put(`/_matrix/client/v3/user/${reader.userId}/account_data/m.ignored_user_list`, {
    ignored_users: { [bob.userId]: {} },
  });
  const [shown] = (await threads(reader, roomId)).chunk;
  t.equal(shown?.event_id, root);
  t.same(shown?.content, {});
});

t.test("getRoomEvents: filters choose events by what relates to them", async (t) => {
  const roomId = await createRoom(alice, {}, bob);
  const [first, second] = [await say(alice, roomId, "first"), await say(alice, roomId, "second")];
  await reply(alice, roomId, first);
  await reply(bob, roomId, second);
  const related = async (filter: object) => {
    const { body } = await read(alice, "getRoomEvents", roomId, "messages", { dir: "f", limit: 50, filter });
    return (body["chunk"] as TestEvent[]).map(({ event_id }) => event_id);
  };
  t.same(await related({ related_by_rel_types: ["m.thread"] }), [first, second]);
  t.same(await related({ related_by_senders: [bob.userId] }), [second]);
  t.same(await related({ related_by_rel_types: ["m.replace"], related_by_senders: [bob.userId] }), []);
  t.same(await related({ related_by_senders: ["@nobody:hearth.test"] }), []);
  const page = await related({ "org.matrix.msc3874.not_rel_types": ["m.thread"], types: ["m.room.message"] });
  t.same(page, [first, second]);
});

t.test("getThreadRoots: refuses strangers and what it does not understand", async (t) => {
  const roomId = await createRoom(alice, { preset: "private_chat" });
  t.equal((await threads(carol, roomId)).status, 403);
  t.equal((await threads(alice, "!unknown:hearth.test")).status, 403);
  for (const query of [{ include: "some" }, { limit: 0 }, { from: "x" }]) {
    t.equal((await threads(alice, roomId, query)).status, 400, JSON.stringify(query));
  }
});
