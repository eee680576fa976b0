import t, { type Test } from "tap";
import { login, registerUser, type TestClient } from "../support/client.ts";
import {
  createRoom,
  join,
  leave,
  queryOf,
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
const limit = 5;
const host = await registerUser(server);
const [ann, ben, eve] = [await registerUser(server), await registerUser(server), await registerUser(server)];
const newcomer = await registerUser(server);
const readers: TestClient[] = [ann, ben, eve, await login(server, host.userId), host];

/** What differs from one moment to the next. */
function withoutAge(event: TestEvent): object {
  const { age: _age, redacted_because: because, ...unsigned } = event.unsigned ?? {};
  const redaction = because ? { redacted_because: (because as TestEvent).event_id } : {};
  const { room_id: _roomId, ...rest } = event;
  return { ...rest, unsigned: { ...unsigned, ...redaction } };
}

/** The newest events of a room as a reader gets them by paging: made for that reader alone. */
async function newest(reader: TestClient, roomId: string, wanted = limit): Promise<TestEvent[]> {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/messages`;
  const { body } = await reader.get(path + queryOf({ dir: "b", limit: wanted }), "getRoomEvents");
  return (body["chunk"] as TestEvent[]).toReversed();
}

/** First syncs of all readers right after one another, who share what they can. */
async function checkAll(t: Test, roomId: string, what: string, who = readers): Promise<void> {
  for (const reader of who) {
    const room = (await sync(reader, { filter: { room: { timeline: { limit } } } })).room("join", roomId);
    const expected = await newest(reader, roomId);
    t.same(room.timeline.events.map(withoutAge), expected.map(withoutAge), `${what}: ${reader.userId}`);
    t.equal(room.timeline.limited, true);
    for (const { unsigned } of room.timeline.events) t.ok(Number(unsigned?.["age"]) >= 0);
  }
}

async function fill(roomId: string, count = 8): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index++) ids.push(await say(host, roomId, `${index}`));
  return ids;
}

t.test("sync: first syncs of all members of a room, each with what is theirs to see", async (t) => {
  const roomId = await createRoom(host, {}, ann, ben, eve);
  await fill(roomId);
  await checkAll(t, roomId, "messages");
  const spoken = await say(ann, roomId, "what I have to say");
  await checkAll(t, roomId, "the newest is there at once, for its sender with the transaction");
  await redact(ann, roomId, spoken);
  await checkAll(t, roomId, "a redaction");
  await setState(host, roomId, "m.room.topic", { topic: "first" });
  await checkAll(t, roomId, "a new state event");
  await setState(host, roomId, "m.room.topic", { topic: "second" });
  await checkAll(t, roomId, "one that takes the place of another");
});

t.test("sync: edits are bundled in first syncs", async (t) => {
  const roomId = await createRoom(host, {}, ann, ben, eve);
  const [, , , , , , , last = ""] = await fill(roomId);
  await checkAll(t, roomId, "messages");
  await send(host, roomId, "m.room.message", {
    msgtype: "m.text",
    body: "* better",
    "m.new_content": { msgtype: "m.text", body: "better" },
    "m.relates_to": { rel_type: "m.replace", event_id: last },
  });
  const room = (await sync(ben, { filter: { room: { timeline: { limit } } } })).room("join", roomId);
  const edited = room.timeline.events.find(({ event_id: eventId }) => eventId === last);
  t.match(edited?.unsigned, { "m.relations": { "m.replace": { content: { body: "* better" } } } });
});

t.test("sync: whoever comes later, or was away, sees what was said then in another way", async (t) => {
  const roomId = await createRoom(host, {}, ann, ben, eve);
  await fill(roomId);
  await join(newcomer, roomId);
  await checkAll(t, roomId, "somebody has just come", [...readers, newcomer]);
  await fill(roomId, limit);
  await checkAll(t, roomId, "and sees all but the join", [...readers, newcomer]);
  await leave(eve, roomId);
  await fill(roomId, 2);
  await join(eve, roomId);
  await checkAll(t, roomId, "a member who was away");
  await fill(roomId);
  await checkAll(t, roomId, "and is back for long");
  await setState(host, roomId, "m.room.history_visibility", { history_visibility: "joined" });
  await leave(ben, roomId);
  await fill(roomId, 3);
  await join(ben, roomId);
  await say(host, roomId, "after");
  const room = (await sync(ben, { filter: { room: { timeline: { limit } } } })).room("join", roomId);
  const expected = (await newest(ben, roomId, 20)).slice(-limit);
  t.same(room.timeline.events.map(withoutAge), expected.map(withoutAge), "without what is not theirs to see");
  t.notOk(room.timeline.events.slice(0, -2).some(({ content }) => content["body"] === "2"));
});

t.test("sync: whoever ignores somebody gets nothing of them, and the others all", async (t) => {
  const roomId = await createRoom(host, {}, ann, ben, eve);
  await fill(roomId);
  for (let index = 0; index < 3; index++) await say(eve, roomId, `pest ${index}`);
  await checkAll(t, roomId, "before");
  const path = `/_matrix/client/v3/user/${encodeURIComponent(ben.userId)}/account_data/m.ignored_user_list`;
  await ben.put(path, { ignored_users: { [eve.userId]: {} } });
  const bodies = async (reader: TestClient) =>
    (await sync(reader, { filter: { room: { timeline: { limit } } } })).bodies(roomId);
  t.same(await bodies(ann), ["6", "7", "pest 0", "pest 1", "pest 2"]);
  t.same(await bodies(ben), ["3", "4", "5", "6", "7"]);
  t.same(await bodies(host), ["6", "7", "pest 0", "pest 1", "pest 2"]);
});
