import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { postReceipt, setMarkers } from "../support/ephemeral.ts";
import {
  createRoom,
  join,
  type Json,
  leave,
  redact,
  say,
  send,
  setState,
  sync,
  type SyncAnswer,
} from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const server = await startServer({ presence: { enabled: false } });
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");
const carol = await registerUser(server, "carol");
const perThread = { room: { timeline: { unread_thread_notifications: true } } };

/** A room of three, so that the rules for one-to-one rooms are out of the way. */
const makeRoom = (body: Json = {}) => createRoom(alice, body, bob, carol);

function mention(user: TestClient, roomId: string, mentions: Json): Promise<string> {
  return send(user, roomId, "m.room.message", { msgtype: "m.text", body: "you", "m.mentions": mentions });
}

function reply(user: TestClient, roomId: string, rootId: string, content: Json = {}): Promise<string> {
  const relation = { rel_type: "m.thread", event_id: rootId };
  return send(user, roomId, "m.room.message", {
    msgtype: "m.text",
    body: "reply",
    "m.relates_to": relation,
    ...content,
  });
}

function countsIn(answer: SyncAnswer, roomId: string): [notifications: unknown, highlights: unknown] {
  const unread = answer.room("join", roomId).unread_notifications;
  return [unread["notification_count"], unread["highlight_count"]];
}

/** What a first sync says. */
async function counts(user: TestClient, roomId: string) {
  return countsIn(await sync(user), roomId);
}

async function threadCounts(user: TestClient, roomId: string): Promise<unknown> {
  const room = (await sync(user, { filter: perThread })).room("join", roomId);
  const threads: Json =
    "unread_thread_notifications" in room ? (room.unread_thread_notifications as Json) : {};
  return { main: room.unread_notifications, ...threads };
}

const of = (notifications: number, highlights: number) => ({
  notification_count: notifications,
  highlight_count: highlights,
});

t.test("sync: counts come with the events that change them, and go with a receipt", async (t) => {
  const roomId = await makeRoom();
  let since = (await sync(bob)).nextBatch;
  const news = async () => {
    const answer = await sync(bob, { since, timeout: 2_000 });
    since = answer.nextBatch;
    return countsIn(answer, roomId);
  };
  await say(alice, roomId, "1");
  t.same(await news(), [1, 0]);
  const second = await mention(alice, roomId, { user_ids: [bob.userId] });
  t.same(await news(), [2, 1]);
  await say(alice, roomId, "3");
  t.same(await news(), [3, 1]);
  await postReceipt(bob, roomId, second);
  t.same(await news(), [1, 0]);
  t.same(await counts(bob, roomId), [1, 0]);
  t.same(await counts(carol, roomId), [3, 0], "everybody has read for themselves");
  t.same(await counts(alice, roomId), [0, 0], "nobody is notified of what they say themselves");
});

t.test("sync: a private receipt counts as much; the one that is further ahead decides", async (t) => {
  const roomId = await makeRoom();
  const [one, two, three] = [
    await say(alice, roomId, "1"),
    await say(alice, roomId, "2"),
    await say(alice, roomId, "3"),
  ];
  await postReceipt(bob, roomId, two);
  t.same(await counts(bob, roomId), [1, 0]);
  const since = (await sync(bob)).nextBatch;
  await postReceipt(bob, roomId, one, {}, "m.read.private");
  t.same(await counts(bob, roomId), [1, 0]);
  await setMarkers(bob, roomId, { "m.read.private": three });
  t.same(countsIn(await sync(bob, { since }), roomId), [0, 0]);
});

t.test("sync: a receipt changes the counts even where the filter wants no receipts", async (t) => {
  const roomId = await makeRoom();
  const eventId = await say(alice, roomId, "1");
  const filter = { room: { ephemeral: { types: [] } } };
  const since = (await sync(bob, { filter })).nextBatch;
  await postReceipt(bob, roomId, eventId);
  t.same(countsIn(await sync(bob, { since, filter }), roomId), [0, 0]);
});

t.test("sync: whoever says something has read what was said before", async (t) => {
  const roomId = await makeRoom();
  await say(alice, roomId, "1");
  await setState(alice, roomId, "m.room.topic", { topic: "fire" });
  t.same(await counts(bob, roomId), [1, 0]);
  await say(bob, roomId, "2");
  t.same(await counts(bob, roomId), [0, 0]);
  await say(alice, roomId, "3");
  t.same(await counts(bob, roomId), [1, 0]);
});

t.test("sync: a change of one's profile is no sign of having read", async (t) => {
  const roomId = await makeRoom();
  await say(alice, roomId, "1");
  const path = `/_matrix/client/v3/profile/${encodeURIComponent(bob.userId)}/displayname`;
  t.equal((await bob.put(path, { displayname: "Bob" })).status, 200);
  t.same(await counts(bob, roomId), [1, 0]);
});

t.test("sync: what came before one joined is not unread", async (t) => {
  const roomId = await createRoom(alice, {}, carol);
  await say(alice, roomId, "1");
  await join(bob, roomId);
  t.same(await counts(bob, roomId), [0, 0]);
  await say(alice, roomId, "2");
  t.same(await counts(bob, roomId), [1, 0]);
  await leave(bob, roomId);
  await say(alice, roomId, "3");
  await join(bob, roomId);
  t.same(await counts(bob, roomId), [0, 0]);
});

t.test("sync: what is redacted, or comes from somebody ignored, is not unread", async (t) => {
  const roomId = await makeRoom();
  const [one] = [await say(alice, roomId, "1"), await say(alice, roomId, "2")];
  t.same(await counts(bob, roomId), [2, 0]);
  await redact(alice, roomId, one);
  t.same(await counts(bob, roomId), [1, 0]);
  const ignoring = await registerUser(server);
  await join(ignoring, roomId);
  const path = `/_matrix/client/v3/user/${encodeURIComponent(ignoring.userId)}/account_data/m.ignored_user_list`;
  await ignoring.put(path, { ignored_users: { [alice.userId]: {} } });
  await say(alice, roomId, "3");
  await say(carol, roomId, "4");
  t.same(await counts(ignoring, roomId), [1, 0]);
});

t.test("sync: the user's own push rules decide", async (t) => {
  const roomId = await makeRoom();
  const user = await registerUser(server);
  await join(user, roomId);
  const rules = "/_matrix/client/v3/pushrules/global";
  await user.put(`${rules}/content/cake`, {
    pattern: "cake",
    actions: ["notify", { set_tweak: "highlight" }],
  });
  await user.put(`${rules}/sender/${encodeURIComponent(carol.userId)}`, { actions: [] });
  await say(alice, roomId, "there is cake");
  await say(alice, roomId, "there is tea");
  await say(carol, roomId, "no");
  t.same(await counts(user, roomId), [2, 1]);
  await user.put(`${rules}/room/${encodeURIComponent(roomId)}`, { actions: [] });
  await say(alice, roomId, "tea again");
  t.same(await counts(user, roomId), [2, 1]);
});

t.test("sync: a rule on one's name goes by the name in the room", async (t) => {
  const roomId = await makeRoom();
  const user = await registerUser(server);
  await user.put(`/_matrix/client/v3/profile/${encodeURIComponent(user.userId)}/displayname`, {
    displayname: "Dora the Explorer",
  });
  const rule = {
    conditions: [{ kind: "contains_display_name" }],
    actions: ["notify", { set_tweak: "highlight" }],
  };
  await user.put("/_matrix/client/v3/pushrules/global/override/name", rule);
  await join(user, roomId);
  await say(alice, roomId, "has anybody seen Dora the Explorer?");
  await say(alice, roomId, "or another explorer?");
  t.same(await counts(user, roomId), [2, 1]);
});

t.test("sync: @room takes power, by the levels at the time", async (t) => {
  const roomId = await makeRoom();
  await mention(alice, roomId, { room: true });
  t.same(await counts(bob, roomId), [1, 1]);
  await mention(carol, roomId, { room: true });
  t.same(await counts(bob, roomId), [2, 1]);
});

t.test("sync: threads are counted apart for clients that ask for it", async (t) => {
  const roomId = await makeRoom();
  const root = await say(alice, roomId, "root");
  const first = await reply(alice, roomId, root);
  await reply(carol, roomId, root, { "m.mentions": { user_ids: [bob.userId] } });
  const reaction = { rel_type: "m.reference", event_id: first };
  await send(carol, roomId, "m.room.message", {
    msgtype: "m.text",
    body: "about it",
    "m.relates_to": reaction,
  });
  await say(carol, roomId, "elsewhere");
  t.same(await counts(bob, roomId), [5, 1]);
  t.same(await threadCounts(bob, roomId), { main: of(2, 0), [root]: of(3, 1) });
  await postReceipt(bob, roomId, root, { thread_id: "main" });
  t.same(await threadCounts(bob, roomId), { main: of(1, 0), [root]: of(3, 1) });
  await postReceipt(bob, roomId, first, { thread_id: root });
  t.same(await threadCounts(bob, roomId), { main: of(1, 0), [root]: of(2, 1) });
  await reply(bob, roomId, root);
  t.same(await threadCounts(bob, roomId), { main: of(1, 0) }, "who replies has read the thread, and no more");
  const last = await reply(alice, roomId, root);
  t.same(await threadCounts(bob, roomId), { main: of(1, 0), [root]: of(1, 0) });
  await postReceipt(bob, roomId, last);
  t.same(await threadCounts(bob, roomId), { main: of(0, 0) }, "an unthreaded receipt goes for all");
});

t.test("sync: counts are the same after a restart", async (t) => {
  const roomId = await makeRoom();
  const root = await say(alice, roomId, "root");
  await reply(alice, roomId, root);
  await postReceipt(bob, roomId, root, { thread_id: "main" });
  await mention(alice, roomId, { user_ids: [bob.userId] });
  const before = await threadCounts(bob, roomId);
  t.same(before, { main: of(1, 1), [root]: of(1, 0) });
  await server.restart();
  t.same(await threadCounts(bob, roomId), before);
});

t.test("sync: names in the text are mentions where the configuration says so", async (t) => {
  await using old = await startServer({ push: { mentions_in_text: true }, presence: { enabled: false } });
  const [sender, reader, third] = [
    await registerUser(old, "sender"),
    await registerUser(old, "reader"),
    await registerUser(old, "third"),
  ] as const;
  const roomId = await createRoom(sender, {}, reader, third);
  await say(sender, roomId, `Hello ${reader.userId}!`);
  t.strictSame(await counts(reader, roomId), [1, 1]);
  t.strictSame(await counts(third, roomId), [1, 0]);
  await send(sender, roomId, "m.room.message", { msgtype: "m.text", body: "reader", "m.mentions": {} });
  t.strictSame(await counts(reader, roomId), [2, 1], "the sender's client says that nobody is mentioned");
  const here = await createRoom(alice, {}, bob, carol);
  await say(alice, here, `Hello ${bob.userId}!`);
  t.strictSame(await counts(bob, here), [1, 0], "they are not otherwise");
});
