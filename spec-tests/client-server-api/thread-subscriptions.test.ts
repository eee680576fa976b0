import t from "tap";
import { anonymous, registerUser, type TestClient } from "../support/client.ts";
import { createRoom, join, type Json, leave, moderate, say, send, sync } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";
import { Connection, slidingSync } from "../support/sliding-sync.ts";

// MSC4306 and MSC4308.

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const extension = "io.element.msc4308.thread_subscriptions";

interface Changes {
  readonly subscribed?: Record<string, Record<string, { automatic: boolean; bump_stamp: number }>>;
  readonly unsubscribed?: Record<string, Record<string, { bump_stamp: number }>>;
  readonly prev_batch?: string;
  readonly end?: string;
}

async function people(): Promise<{ alice: TestClient; bob: TestClient; roomId: string; rootId: string }> {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  const carol = await registerUser(server);
  const roomId = await createRoom(alice, {}, bob, carol);
  return { alice, bob, roomId, rootId: await say(alice, roomId, "root") };
}

function reply(user: TestClient, roomId: string, rootId: string, more: Json = {}): Promise<string> {
  const relation = { rel_type: "m.thread", event_id: rootId };
  const content = { msgtype: "m.text", body: "reply", "m.relates_to": relation, ...more };
  return send(user, roomId, "m.room.message", content);
}

function pathOf(roomId: string, rootId: string): string {
  const room = encodeURIComponent(roomId);
  return `/_matrix/client/unstable/io.element.msc4306/rooms/${room}/thread/${encodeURIComponent(rootId)}/subscription`;
}

const subscribe = (user: TestClient, roomId: string, rootId: string, automatic?: unknown) =>
  user.put(pathOf(roomId, rootId), automatic === undefined ? {} : { automatic });
const unsubscribe = (user: TestClient, roomId: string, rootId: string) => user.delete(pathOf(roomId, rootId));
const state = (user: TestClient, roomId: string, rootId: string) => user.get(pathOf(roomId, rootId));

const done = { status: 200, body: {} };
const notFound = { status: 404, body: { errcode: "M_NOT_FOUND" } };

t.test("subscribeToThread, getThreadSubscription, unsubscribeFromThread", async (t) => {
  const { alice, bob, roomId, rootId } = await people();
  t.match(await state(alice, roomId, rootId), notFound);
  t.match(await unsubscribe(alice, roomId, rootId), done, "nothing to end");
  t.match(await subscribe(alice, roomId, rootId), done);
  t.match(await state(alice, roomId, rootId), { status: 200, body: { automatic: false } });
  t.match(await state(bob, roomId, rootId), notFound, "each has their own");
  t.match(await unsubscribe(alice, roomId, rootId), done);
  t.match(await state(alice, roomId, rootId), notFound);
});

t.test("subscribeToThread: what a client does of itself, and what the user does", async (t) => {
  const { alice, bob, roomId, rootId } = await people();
  const first = await reply(alice, roomId, rootId);
  t.match(await subscribe(bob, roomId, rootId, first), done);
  t.match(await state(bob, roomId, rootId), { status: 200, body: { automatic: true } });
  await subscribe(bob, roomId, rootId);
  await subscribe(bob, roomId, rootId, first);
  t.match(await state(bob, roomId, rootId), { status: 200, body: { automatic: false } });
  const second = await reply(alice, roomId, rootId);
  await unsubscribe(bob, roomId, rootId);
  const third = await reply(alice, roomId, rootId);
  for (const cause of [first, second]) {
    t.match(await subscribe(bob, roomId, rootId, cause), {
      status: 409,
      body: { errcode: "IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION" },
    });
    t.match(await state(bob, roomId, rootId), notFound);
  }
  t.match(await subscribe(bob, roomId, rootId, third), done);
});

t.test("subscribeToThread: events that are not in the thread, threads that are none", async (t) => {
  const { alice, bob, roomId, rootId } = await people();
  const otherRoot = await say(alice, roomId, "other");
  const otherReply = await reply(alice, roomId, otherRoot);
  const outside = { status: 400, body: { errcode: "IO.ELEMENT.MSC4306.M_NOT_IN_THREAD" } };
  for (const cause of [rootId, otherRoot, otherReply, "$nothing", ""]) {
    t.match(await subscribe(bob, roomId, rootId, cause), outside, cause);
  }
  t.match(await subscribe(bob, roomId, rootId, 5), { status: 400, body: { errcode: "M_BAD_JSON" } });
  for (const root of ["$nothing:hearth.test", "nothing", otherReply]) {
    t.match(await subscribe(bob, roomId, root), notFound, root);
    t.match(await unsubscribe(bob, roomId, root), notFound, root);
    t.match(await state(bob, roomId, root), notFound, root);
  }
  const otherRoom = await createRoom(bob, {});
  t.match(await subscribe(bob, otherRoom, rootId), notFound, "in another room");
  t.match(await subscribe(bob, "!unknown:hearth.test", rootId), notFound);
  t.match(await subscribe(bob, "nonsense", rootId), { status: 400, body: { errcode: "M_INVALID_PARAM" } });
  const stranger = await registerUser(server);
  t.match(await subscribe(stranger, roomId, rootId), notFound);
  t.match(await subscribe(anonymous(server), roomId, rootId), { status: 401 });
});

t.test("subscribeToThread: what was said before somebody came is not theirs", async (t) => {
  const alice = await registerUser(server);
  const roomId = await createRoom(alice, {
    initial_state: [
      { type: "m.room.history_visibility", state_key: "", content: { history_visibility: "joined" } },
    ],
  });
  const rootId = await say(alice, roomId, "root");
  const bob = await registerUser(server);
  await moderate(alice, roomId, "invite", bob.userId);
  await join(bob, roomId);
  t.match(await subscribe(bob, roomId, rootId), notFound);
});

async function counts(user: TestClient, roomId: string): Promise<unknown> {
  return (await sync(user)).room("join", roomId).unread_notifications["notification_count"];
}

t.test("replies notify those who follow the thread, and others as they say", async (t) => {
  const { alice, bob, roomId, rootId } = await people();
  const otherRoot = await say(alice, roomId, "other");
  const mute = { actions: [] };
  await reply(alice, roomId, otherRoot);
  t.equal(await counts(bob, roomId), 3, "whose clients know of no subscriptions hears of every thread");
  await subscribe(bob, roomId, rootId);
  await bob.post(
    `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/receipt/m.read/${encodeURIComponent(await say(alice, roomId, "hi"))}`,
    {},
  );
  t.equal(await counts(bob, roomId), 0);
  await reply(alice, roomId, rootId);
  t.equal(await counts(bob, roomId), 1, "of a thread that is followed");
  await reply(alice, roomId, otherRoot);
  t.equal(await counts(bob, roomId), 1, "of another");
  await reply(alice, roomId, otherRoot, { "m.mentions": { user_ids: [bob.userId] } });
  t.equal(await counts(bob, roomId), 2, "who is mentioned hears of it");
  await bob.put(`/_matrix/client/v3/pushrules/global/room/${encodeURIComponent(roomId)}`, mute);
  await say(alice, roomId, "muted");
  t.equal(await counts(bob, roomId), 2);
  await reply(alice, roomId, rootId);
  t.equal(await counts(bob, roomId), 3, "though the room be muted");
  await unsubscribe(bob, roomId, rootId);
  await reply(alice, roomId, rootId);
  t.equal(await counts(bob, roomId), 3);
  const { body } = await bob.get("/_matrix/client/v3/notifications", "getNotifications");
  t.match((body["notifications"] as Json[])[0], { actions: ["notify", { set_tweak: "sound" }] });
});

t.test("getPushRules, setPushRule: the rules are of a kind that is the server's alone", async (t) => {
  const alice = await registerUser(server);
  const base = "/_matrix/client/v3/pushrules/global/postcontent";
  const { body } = await alice.get("/_matrix/client/v3/pushrules/", "getPushRules");
  const { postcontent } = body["global"] as { postcontent: Json[] };
  t.match(postcontent, [
    {
      rule_id: ".io.element.msc4306.rule.unsubscribed_thread",
      default: true,
      enabled: true,
      conditions: [{ kind: "io.element.msc4306.thread_subscription", subscribed: false }],
      actions: [],
    },
    {
      rule_id: ".io.element.msc4306.rule.subscribed_thread",
      conditions: [{ kind: "io.element.msc4306.thread_subscription", subscribed: true }],
      actions: ["notify", { set_tweak: "sound", value: "default" }],
    },
  ]);
  const refused = { status: 400, body: { errcode: "M_INVALID_PARAM" } };
  t.match(await alice.put(`${base}/mine`, { conditions: [], actions: ["notify"] }), refused);
  const rule = `${base}/.io.element.msc4306.rule.unsubscribed_thread`;
  t.match(await alice.put(`${rule}/enabled`, { enabled: false }, "setPushRuleEnabled"), { status: 200 });
  t.match((await alice.get(rule, "getPushRule")).body, { enabled: false });
});

t.test("slidingSync: subscriptions as they change", async (t) => {
  const { bob, roomId, rootId } = await people();
  const otherRoot = await say(bob, roomId, "other");
  const connection = new Connection(bob);
  const body = { extensions: { [extension]: { enabled: true, limit: 2 } } };
  t.notOk(extension in (await connection.sync(body)).extensions);
  await subscribe(bob, roomId, rootId);
  const first = (await connection.sync(body)).extensions[extension] as Changes;
  t.match(first.subscribed?.[roomId]?.[rootId], { automatic: false, bump_stamp: Number });
  t.notOk("unsubscribed" in first);
  t.notOk("prev_batch" in first);
  t.notOk(extension in (await connection.sync(body)).extensions, "told once");
  await unsubscribe(bob, roomId, rootId);
  await subscribe(bob, roomId, otherRoot);
  const second = (await connection.sync(body)).extensions[extension] as Changes;
  t.same(Object.keys(second.subscribed?.[roomId] ?? {}), [otherRoot]);
  const stamp = second.unsubscribed?.[roomId]?.[rootId]?.bump_stamp ?? 0;
  t.ok(stamp > (first.subscribed?.[roomId]?.[rootId]?.bump_stamp ?? 0));
  const anew = (await slidingSync(bob, body)).extensions[extension] as Changes;
  t.same(Object.keys(anew.subscribed?.[roomId] ?? {}), [otherRoot]);
  t.notOk("unsubscribed" in anew, "who has nothing has nothing to give up");
  t.notOk(extension in (await slidingSync(bob, { extensions: { [extension]: {} } })).extensions);
});

t.test("slidingSync: an extension that is switched on late begins at the beginning, and wakes", async (t) => {
  const { bob, roomId, rootId } = await people();
  await subscribe(bob, roomId, rootId);
  const connection = new Connection(bob);
  await connection.sync({});
  const body = { extensions: { [extension]: { enabled: true } } };
  const late = (await connection.sync(body)).extensions[extension] as Changes;
  t.ok(late.subscribed?.[roomId]?.[rootId]);
  await connection.sync(body);
  const waiting = connection.sync(body, 20_000);
  await unsubscribe(bob, roomId, rootId);
  const woken = (await waiting).extensions[extension] as Changes;
  t.ok(woken.unsubscribed?.[roomId]?.[rootId]);
});

t.test("getThreadSubscriptions: what sliding sync has left out is read backwards", async (t) => {
  const { bob, roomId } = await people();
  const connection = new Connection(bob);
  const body = { extensions: { [extension]: { enabled: true, limit: 2 } } };
  await connection.sync(body);
  const before = connection.pos ?? "";
  const roots: string[] = [];
  for (const name of ["a", "b", "c", "d", "e"]) roots.push(await say(bob, roomId, name));
  for (const rootId of roots) await subscribe(bob, roomId, rootId);
  const changes = (await connection.sync(body)).extensions[extension] as Changes;
  t.same(Object.keys(changes.subscribed?.[roomId] ?? {}), [roots[4], roots[3]]);
  const path = "/_matrix/client/unstable/io.element.msc4308/thread_subscriptions";
  const read = async (query: string) => (await bob.get(`${path}?dir=b${query}`)).body as Changes;
  const first = await read(`&from=${changes.prev_batch}&to=${before}&limit=2`);
  t.same(Object.keys(first.subscribed?.[roomId] ?? {}), [roots[2], roots[1]]);
  const second = await read(`&from=${first.end}&to=${before}&limit=2`);
  t.same(Object.keys(second.subscribed?.[roomId] ?? {}), [roots[0]]);
  t.notOk("end" in second);
  t.equal(Object.keys((await read("")).subscribed?.[roomId] ?? {}).length, 5, "from the end");
  const nothing = await read(`&to=${connection.pos}`);
  t.same(nothing, { subscribed: {}, unsubscribed: {} });
  for (const bad of ["dir=f", "", "dir=b&from=x", "dir=b&to=x", "dir=b&limit=0", "dir=b&limit=x"]) {
    const answer = await bob.get(`${path}?${bad}`);
    t.match(answer, { status: 400, body: { errcode: /M_INVALID_PARAM|M_MISSING_PARAM/ } }, bad);
  }
});

t.test("forgetRoom: subscriptions go with the room", async (t) => {
  const { bob, roomId, rootId } = await people();
  await subscribe(bob, roomId, rootId);
  await leave(bob, roomId);
  await bob.post(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/forget`, {}, "forgetRoom");
  const { body } = await bob.get("/_matrix/client/unstable/io.element.msc4308/thread_subscriptions?dir=b");
  t.same(body, { subscribed: {}, unsubscribed: {} });
});
