import t, { type Test } from "tap";
import { registerUser, type TestAnswer, type TestClient } from "../support/client.ts";
import { ephemeral, postReceipt } from "../support/ephemeral.ts";
import { createRoom, type Json, join, leave, redact, say, send, setState, sync } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");

function reply(user: TestClient, roomId: string, rootId: string, body: string): Promise<string> {
  const relation = { rel_type: "m.thread", event_id: rootId };
  return send(user, roomId, "m.room.message", { msgtype: "m.text", body, "m.relates_to": relation });
}

function refused(t: Test, answer: TestAnswer, status: number, errcode: string): void {
  t.equal(answer.status, status, JSON.stringify(answer.body));
  t.equal(answer.body["errcode"], errcode);
}

/** Event to kind to user to thread, of an `m.receipt`. */
function threadsIn(content: Json | undefined): Json {
  const shown = Object.entries(content ?? {}).map(([eventId, kinds]) => [
    eventId,
    Object.fromEntries(
      Object.entries(kinds as Record<string, Record<string, Json>>).map(([kind, users]) => [
        kind,
        Object.fromEntries(
          Object.entries(users).map(([userId, receipt]) => [userId, receipt["thread_id"] ?? null]),
        ),
      ]),
    ),
  ]);
  return Object.fromEntries(shown) as Json;
}

t.test("postReceipt, sync: a receipt is seen by everybody in the room, once", async (t) => {
  const roomId = await createRoom(alice, {}, bob);
  const eventId = await say(alice, roomId, "one");
  const since = (await sync(alice)).nextBatch;
  t.equal((await postReceipt(bob, roomId, eventId)).status, 200);
  const answer = await sync(alice, { since, timeout: 2_000 });
  const content = ephemeral(answer, roomId, "m.receipt");
  t.same(threadsIn(content), { [eventId]: { "m.read": { [bob.userId]: null } } });
  const receipts = content?.[eventId] as Record<string, Record<string, Json>> | undefined;
  t.ok(Number(receipts?.["m.read"]?.[bob.userId]?.["ts"]) > 1_600_000_000_000, "milliseconds");
  t.notOk((await sync(alice, { since: answer.nextBatch })).hasRooms);
  t.same(threadsIn(ephemeral(await sync(alice), roomId, "m.receipt")), threadsIn(content), "first sync");
});

t.test("postReceipt: a body may be left away", async (t) => {
  const roomId = await createRoom(alice);
  const eventId = await say(alice, roomId, "one");
  t.equal((await postReceipt(alice, roomId, eventId, undefined)).status, 200);
});

t.test("postReceipt: a receipt never moves backwards", async (t) => {
  const roomId = await createRoom(alice, {}, bob);
  const [first, second] = [await say(alice, roomId, "one"), await say(alice, roomId, "two")];
  await postReceipt(bob, roomId, second);
  const since = (await sync(alice)).nextBatch;
  t.equal((await postReceipt(bob, roomId, first)).status, 200);
  t.equal((await postReceipt(bob, roomId, second)).status, 200);
  t.notOk((await sync(alice, { since })).hasRooms);
  t.same(threadsIn(ephemeral(await sync(alice), roomId, "m.receipt")), {
    [second]: { "m.read": { [bob.userId]: null } },
  });
});

t.test("postReceipt, sync: a private receipt is told to its user's devices alone", async (t) => {
  const roomId = await createRoom(alice, {}, bob);
  const eventId = await say(alice, roomId, "one");
  const [ofAlice, ofBob] = [(await sync(alice)).nextBatch, (await sync(bob)).nextBatch];
  t.equal((await postReceipt(bob, roomId, eventId, {}, "m.read.private")).status, 200);
  t.notOk((await sync(alice, { since: ofAlice })).hasRooms);
  t.notOk(ephemeral(await sync(alice), roomId, "m.receipt"));
  const own = { [eventId]: { "m.read.private": { [bob.userId]: null } } };
  t.same(threadsIn(ephemeral(await sync(bob, { since: ofBob }), roomId, "m.receipt")), own);
  t.same(threadsIn(ephemeral(await sync(bob), roomId, "m.receipt")), own);
});

t.test("postReceipt: each thread has a receipt of its own", async (t) => {
  const roomId = await createRoom(alice, {}, bob);
  const root = await say(alice, roomId, "root");
  const inThread = await reply(alice, roomId, root, "in thread");
  const reaction = { "m.relates_to": { rel_type: "m.annotation", event_id: inThread, key: "+" } };
  const reacted = await send(alice, roomId, "m.reaction", reaction);
  const last = await say(alice, roomId, "last");
  t.equal((await postReceipt(bob, roomId, last, { thread_id: "main" })).status, 200);
  t.equal((await postReceipt(bob, roomId, reacted, { thread_id: root })).status, 200);
  t.equal((await postReceipt(bob, roomId, inThread)).status, 200);
  t.same(threadsIn(ephemeral(await sync(alice), roomId, "m.receipt")), {
    [last]: { "m.read": { [bob.userId]: "main" } },
    [reacted]: { "m.read": { [bob.userId]: root } },
    [inThread]: { "m.read": { [bob.userId]: null } },
  });
  t.equal((await postReceipt(bob, roomId, last)).status, 200);
  const content = ephemeral(await sync(alice), roomId, "m.receipt");
  t.same(threadsIn({ [last]: content?.[last] }), { [last]: { "m.read": { [bob.userId]: null } } });
});

t.test("postReceipt: the event has to be in the thread that is named", async (t) => {
  const roomId = await createRoom(alice);
  const root = await say(alice, roomId, "root");
  const inThread = await reply(alice, roomId, root, "in thread");
  const other = await say(alice, roomId, "other");
  const post = (eventId: string, threadId: unknown, type?: string) =>
    postReceipt(alice, roomId, eventId, { thread_id: threadId }, type);
  t.equal((await post(root, root)).status, 200, "clients show the root at the top of its thread");
  t.equal((await post(root, "main")).status, 200);
  refused(t, await post(inThread, "main"), 400, "M_INVALID_PARAM");
  refused(t, await post(other, root), 400, "M_INVALID_PARAM");
  refused(t, await post(other, other), 400, "M_INVALID_PARAM");
  refused(t, await post(other, "nonsense"), 400, "M_INVALID_PARAM");
  for (const threadId of ["", 1, null, {}]) refused(t, await post(other, threadId), 400, "M_INVALID_PARAM");
  refused(t, await post(other, "main", "m.fully_read"), 400, "M_INVALID_PARAM");
});

t.test("postReceipt: who may, and for what", async (t) => {
  const roomId = await createRoom(alice);
  const elsewhere = await createRoom(alice);
  const eventId = await say(alice, roomId, "one");
  refused(t, await postReceipt(bob, roomId, eventId), 403, "M_FORBIDDEN");
  refused(t, await postReceipt(alice, elsewhere, eventId), 404, "M_NOT_FOUND");
  refused(t, await postReceipt(alice, roomId, "$unknown"), 404, "M_NOT_FOUND");
  refused(t, await postReceipt(alice, roomId, "no-event"), 400, "M_INVALID_PARAM");
  refused(t, await postReceipt(alice, "no-room", eventId), 400, "M_INVALID_PARAM");
  refused(t, await postReceipt(alice, roomId, eventId, {}, "m.seen"), 400, "M_INVALID_PARAM");
  refused(t, await postReceipt(alice, roomId, eventId, []), 400, "M_BAD_JSON");
});

t.test("postReceipt, leaveRoom: receipts go with their user", async (t) => {
  const roomId = await createRoom(alice, {}, bob);
  const eventId = await say(alice, roomId, "one");
  await postReceipt(bob, roomId, eventId);
  await leave(bob, roomId);
  t.notOk(ephemeral(await sync(alice), roomId, "m.receipt"));
  await join(bob, roomId);
  t.notOk(ephemeral(await sync(bob), roomId, "m.receipt"));
});

t.test("postReceipt, sync: whoever joins gets the receipts that are there", async (t) => {
  const roomId = await createRoom(alice);
  const eventId = await say(alice, roomId, "one");
  await postReceipt(alice, roomId, eventId);
  const since = (await sync(bob)).nextBatch;
  await join(bob, roomId);
  t.same(threadsIn(ephemeral(await sync(bob, { since }), roomId, "m.receipt")), {
    [eventId]: { "m.read": { [alice.userId]: null } },
  });
});

t.test("postReceipt: state events and redacted ones can be read, too", async (t) => {
  const roomId = await createRoom(alice);
  const topic = await setState(alice, roomId, "m.room.topic", { topic: "fire" });
  t.equal((await postReceipt(alice, roomId, topic, { thread_id: "main" })).status, 200);
  const message = await say(alice, roomId, "one");
  await redact(alice, roomId, message);
  t.equal((await postReceipt(alice, roomId, message, { thread_id: "main" })).status, 200);
});

t.test("postReceipt: receipts are there after a restart", async (t) => {
  const roomId = await createRoom(alice, {}, bob);
  const eventId = await say(alice, roomId, "one");
  await postReceipt(bob, roomId, eventId);
  await server.restart();
  t.same(threadsIn(ephemeral(await sync(alice), roomId, "m.receipt")), {
    [eventId]: { "m.read": { [bob.userId]: null } },
  });
});
