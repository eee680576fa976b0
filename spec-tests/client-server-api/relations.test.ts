import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import {
  createRoom,
  join,
  type Json,
  type Query,
  read,
  redact,
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

function relate(client: TestClient, roomId: string, relType: string, target: string, content: Json = {}) {
  return send(client, roomId, "m.room.message", {
    msgtype: "m.text",
    body: relType,
    ...content,
    "m.relates_to": { rel_type: relType, event_id: target },
  });
}

const edit = (client: TestClient, roomId: string, target: string, body: string) =>
  relate(client, roomId, "m.replace", target, { "m.new_content": { msgtype: "m.text", body } });

async function bundled(client: TestClient, roomId: string, eventId: string): Promise<Json | undefined> {
  const { body } = await read(client, "getOneRoomEvent", roomId, `event/${encodeURIComponent(eventId)}`);
  return (body["unsigned"] as Json)["m.relations"] as Json | undefined;
}

interface RelationsAnswer {
  readonly ids: string[];
  readonly next: string | undefined;
  readonly body: Json;
}

async function relations(
  client: TestClient,
  roomId: string,
  path: string,
  query: Query = {},
): Promise<RelationsAnswer> {
  const depth = path.split("/").length;
  const operationId = [
    "getRelatingEvents",
    "getRelatingEventsWithRelType",
    "getRelatingEventsWithRelTypeAndEventType",
  ][depth - 1];
  const { body } = await read(client, operationId, roomId, `relations/${path}`, query, "v1");
  const chunk = (body["chunk"] ?? []) as TestEvent[];
  return { ids: chunk.map(({ event_id }) => event_id), next: body["next_batch"] as string | undefined, body };
}

t.test("getOneRoomEvent bundles the newest valid edit", async (t) => {
  const roomId = await createRoom(alice, {}, bob);
  const eventId = await say(alice, roomId, "original");
  t.equal(await bundled(bob, roomId, eventId), undefined);
  await edit(alice, roomId, eventId, "first edit");
  const newest = await edit(alice, roomId, eventId, "second edit");
  await edit(bob, roomId, eventId, "not his to edit");
  await relate(alice, roomId, "m.replace", eventId);
  t.match(await bundled(bob, roomId, eventId), {
    "m.replace": { event_id: newest, content: { "m.new_content": { body: "second edit" } } },
  });
  await redact(alice, roomId, newest);
  t.match(await bundled(bob, roomId, eventId), {
    "m.replace": { content: { "m.new_content": { body: "first edit" } } },
  });
  await redact(alice, roomId, eventId);
  t.equal(await bundled(bob, roomId, eventId), undefined, "nothing is bundled with what is redacted");
});

t.test("getOneRoomEvent bundles threads, for each reader as they take part", async (t) => {
  const roomId = await createRoom(alice, {}, bob, mallory);
  const rootId = await say(alice, roomId, "root");
  const first = await relate(bob, roomId, "m.thread", rootId);
  const second = await relate(bob, roomId, "m.thread", rootId);
  await edit(bob, roomId, second, "edited");
  for (const [client, participated] of [
    [alice, true],
    [bob, true],
    [mallory, false],
  ] as const) {
    const thread = (await bundled(client, roomId, rootId))?.["m.thread"] as Json;
    t.match(thread, {
      count: 2,
      current_user_participated: participated,
      latest_event: { event_id: second },
    });
    t.match((thread["latest_event"] as TestEvent).unsigned, {
      "m.relations": { "m.replace": { content: { "m.new_content": { body: "edited" } } } },
    });
  }
  await redact(bob, roomId, second);
  t.match(await bundled(alice, roomId, rootId), {
    "m.thread": { count: 1, latest_event: { event_id: first } },
  });
});

t.test("getOneRoomEvent bundles references as event IDs", async (t) => {
  const roomId = await createRoom(alice, {}, bob);
  const eventId = await say(alice, roomId, "start");
  const ids = [
    await relate(alice, roomId, "m.reference", eventId),
    await relate(bob, roomId, "m.reference", eventId),
  ];
  t.same(await bundled(alice, roomId, eventId), {
    "m.reference": { chunk: ids.map((event_id) => ({ event_id })) },
  });
});

t.test("aggregations leave out what ignored users have sent", async (t) => {
  const reader = await registerUser(server);
  const roomId = await createRoom(alice, {}, bob, reader);
  const rootId = await say(alice, roomId, "root");
  const shown = await relate(alice, roomId, "m.thread", rootId);
  await relate(bob, roomId, "m.thread", rootId);
  await reader.put(`/_matrix/client/v3/user/${reader.userId}/account_data/m.ignored_user_list`, {
    ignored_users: { [bob.userId]: {} },
  });
  t.match(await bundled(reader, roomId, rootId), {
    "m.thread": { count: 1, latest_event: { event_id: shown } },
  });
  t.same((await relations(reader, roomId, encodeURIComponent(rootId))).ids, [shown]);
});

t.test("getRoomEvents, getEventContext and limited sync bundle, other sync does not", async (t) => {
  const roomId = await createRoom(alice);
  const { nextBatch: since } = await sync(alice);
  const eventId = await say(alice, roomId, "original");
  await edit(alice, roomId, eventId, "edited");
  const has = (events: readonly TestEvent[]) =>
    events.find(({ event_id }) => event_id === eventId)?.unsigned?.["m.relations"] !== undefined;
  const page = await read(alice, "getRoomEvents", roomId, "messages", { dir: "b" });
  t.ok(has(page.body["chunk"] as TestEvent[]));
  const context = await read(alice, "getEventContext", roomId, `context/${encodeURIComponent(eventId)}`);
  t.ok(has([context.body["event"] as TestEvent]));
  const limited = await sync(alice, { filter: { room: { timeline: { limit: 2 } } } });
  t.ok(has(limited.room("join", roomId).timeline.events));
  t.notOk(has((await sync(alice, { since })).room("join", roomId).timeline.events));
});

t.test("getRelatingEvents, getRelatingEventsWithRelType, …AndEventType: by type, in pages", async (t) => {
  const roomId = await createRoom(alice, {}, bob);
  const eventId = await say(alice, roomId, "parent");
  const target = encodeURIComponent(eventId);
  const thread: string[] = [];
  for (let index = 0; index < 5; index++) thread.push(await relate(bob, roomId, "m.thread", eventId));
  const reaction = await send(bob, roomId, "m.reaction", {
    "m.relates_to": { rel_type: "m.annotation", event_id: eventId, key: "+" },
  });
  t.same((await relations(alice, roomId, target)).ids, [...thread, reaction].toReversed());
  t.same((await relations(alice, roomId, target, { dir: "f" })).ids, [...thread, reaction]);
  t.same((await relations(alice, roomId, `${target}/m.thread`)).ids, thread.toReversed());
  t.same((await relations(alice, roomId, `${target}/m.annotation/m.reaction`)).ids, [reaction]);
  t.same((await relations(alice, roomId, `${target}/m.thread/m.reaction`)).ids, []);
  t.same((await relations(alice, roomId, `${target}/m.thread/org.example.unheard`)).ids, []);
  for (const dir of ["b", "f"]) {
    const first = await relations(alice, roomId, `${target}/m.thread`, { limit: 3, dir });
    t.equal(first.ids.length, 3);
    const second = await relations(alice, roomId, `${target}/m.thread`, { limit: 3, dir, from: first.next });
    t.same([...first.ids, ...second.ids], dir === "f" ? thread : thread.toReversed());
    t.equal(second.next, undefined);
    t.equal(second.body["prev_batch"], first.next);
  }
});

t.test("getRelatingEvents: recurse goes down three levels", async (t) => {
  const roomId = await createRoom(alice);
  const root = await say(alice, roomId, "root");
  const target = encodeURIComponent(root);
  const levels: string[] = [];
  for (let parent = root, level = 0; level < 4; level++) {
    parent = await relate(alice, roomId, "org.example.child", parent);
    levels.push(parent);
  }
  t.same((await relations(alice, roomId, target, { dir: "f" })).ids, levels.slice(0, 1));
  const recursive = await relations(alice, roomId, target, { dir: "f", recurse: true });
  t.same(recursive.ids, levels.slice(0, 3));
  t.equal(recursive.body["recursion_depth"], 3);
});

t.test("getRelatingEvents: not of events that the user may not see", async (t) => {
  const roomId = await createRoom(alice, { preset: "private_chat" });
  const target = encodeURIComponent(await say(alice, roomId, "parent"));
  const statusOf = async (client: TestClient, path: string) =>
    (await read(client, "getRelatingEvents", roomId, `relations/${path}`, {}, "v1")).status;
  t.equal(await statusOf(alice, target), 200);
  t.equal(await statusOf(mallory, target), 404);
  t.equal(await statusOf(alice, "%24unknown"), 404);
  t.equal(
    (await read(alice, "getRelatingEvents", roomId, `relations/${target}`, { from: "x" }, "v1")).status,
    400,
  );
});

t.test("edits and replies from before a user could see the room do not reach them", async (t) => {
  const roomId = await createRoom(alice, {}, bob);
  const eventId = await say(alice, roomId, "original");
  await setState(alice, roomId, "m.room.history_visibility", { history_visibility: "joined" });
  const newcomer = await registerUser(server);
  await join(newcomer, roomId);
  await edit(alice, roomId, eventId, "visible edit");
  t.ok(await bundled(newcomer, roomId, eventId));
  await newcomer.post(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/leave`, {});
  await edit(alice, roomId, eventId, "after they left");
  t.match(await bundled(newcomer, roomId, eventId), {
    "m.replace": { content: { "m.new_content": { body: "visible edit" } } },
  });
});
