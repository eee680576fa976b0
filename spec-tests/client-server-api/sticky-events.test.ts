import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { createRoom, join, type Json, leave, moderate, redact, say, sync } from "../support/rooms.ts";
import type { TestEvent } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";
import { Connection, oneList } from "../support/sliding-sync.ts";
import { until } from "../support/within.ts";

// MSC4354 and MSC4480.

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const v3 = "/_matrix/client/v3/rooms";
const extension = "org.matrix.msc4354.sticky_events";
const smallTimeline = { room: { timeline: { limit: 1 } } };
let transactions = 0;

function send(user: TestClient, roomId: string, n: number, durationMs: number | string = 600_000, more = "") {
  const path = `${v3}/${encodeURIComponent(roomId)}/send/org.example.rtc/sticky-${++transactions}`;
  return user.put(`${path}?org.matrix.msc4354.sticky_duration_ms=${durationMs}${more}`, { n });
}

async function stick(user: TestClient, roomId: string, n: number, durationMs = 600_000): Promise<string> {
  const { status, body } = await send(user, roomId, n, durationMs);
  if (status !== 200) throw new Error(`sending answered ${status}: ${JSON.stringify(body)}`);
  return String(body["event_id"]);
}

const numbers = (events: readonly TestEvent[]) => events.map(({ content }) => content["n"]);

/** What the sticky section of a room has, and the next token. */
async function stickyIn(user: TestClient, roomId: string, query: Json = {}): Promise<[unknown[], string]> {
  const answer = await sync(user, { filter: smallTimeline, ...query });
  const room = answer.find("join", roomId) as unknown as { msc4354_sticky?: { events: TestEvent[] } };
  return [numbers(room?.msc4354_sticky?.events ?? []), answer.nextBatch];
}

async function people() {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  return { alice, bob, roomId: await createRoom(alice, { preset: "public_chat" }, bob) };
}

t.test("sendMessage, sync: sticky events come to everybody once, wherever the timeline begins", async (t) => {
  const { alice, bob, roomId } = await people();
  await stick(alice, roomId, 1);
  await stick(alice, roomId, 2);
  await say(alice, roomId, "newer");
  const [first, since] = await stickyIn(bob, roomId);
  t.same(first, [1, 2]);
  t.same((await stickyIn(bob, roomId, { since }))[0], [], "once");
  await stick(alice, roomId, 3);
  const answer = await sync(bob, { since });
  const room = answer.room("join", roomId);
  t.notOk("msc4354_sticky" in room, "what is in the timeline is nowhere else");
  const [shown] = room.timeline.events;
  t.match(shown, {
    content: { n: 3 },
    msc4354_sticky: { duration_ms: 600_000 },
    unsigned: { msc4354_sticky_duration_ttl_ms: Number },
  });
  const ttl = (shown as unknown as { unsigned: Record<string, number> }).unsigned[
    "msc4354_sticky_duration_ttl_ms"
  ];
  t.ok(ttl !== undefined && ttl > 500_000 && ttl <= 600_000);
});

t.test("sync: an event that the timeline's filter leaves out is in the sticky section", async (t) => {
  const { alice, bob, roomId } = await people();
  const { nextBatch: since } = await sync(bob);
  await stick(alice, roomId, 1);
  const filter = { room: { timeline: { not_types: ["org.example.rtc"] } } };
  t.same((await stickyIn(bob, roomId, { since, filter }))[0], [1]);
});

t.test("sync: who joins gets what is sticky, though they may not see what was said before", async (t) => {
  const alice = await registerUser(server);
  const roomId = await createRoom(alice, {
    initial_state: [
      { type: "m.room.history_visibility", state_key: "", content: { history_visibility: "joined" } },
    ],
  });
  const bob = await registerUser(server);
  const { nextBatch: since } = await sync(bob);
  await stick(alice, roomId, 1);
  await moderate(alice, roomId, "invite", bob.userId);
  await join(bob, roomId);
  t.same((await stickyIn(bob, roomId, { since }))[0], [1]);
  await leave(bob, roomId);
  await stick(alice, roomId, 2);
  t.same((await stickyIn(bob, roomId, { since }))[0], [], "only members get any");
});

t.test(
  "sync: events stop being sticky when their time is over, when redacted, and for who ignores the sender",
  async (t) => {
    const { alice, bob, roomId } = await people();
    await stick(alice, roomId, 1, 1);
    const redacted = await stick(alice, roomId, 2);
    await stick(alice, roomId, 3);
    await redact(alice, roomId, redacted);
    await until(10_000, "the end of the first", async () => (await stickyIn(bob, roomId))[0].length === 1);
    t.same((await stickyIn(bob, roomId))[0], [3]);
    const path = `/_matrix/client/v3/user/${encodeURIComponent(bob.userId)}/account_data/m.ignored_user_list`;
    await bob.put(path, { ignored_users: { [alice.userId]: {} } });
    t.same((await stickyIn(bob, roomId))[0], []);
  },
);

t.test("sync: of very many some come later", async (t) => {
  const { alice, bob, roomId } = await people();
  const others = await Promise.all([registerUser(server), registerUser(server)]);
  const { nextBatch: start } = await sync(bob);
  for (const other of others) await join(other, roomId);
  for (const user of [alice, ...others]) {
    await Promise.all(Array.from({ length: 80 }, (_, n) => stick(user, roomId, n)));
  }
  await say(alice, roomId, "newer");
  const [first, since] = await stickyIn(bob, roomId, { since: start });
  t.equal(first.length, 200);
  const [rest, end] = await stickyIn(bob, roomId, { since, timeout: 20_000 });
  t.equal(rest.length, 40);
  t.same((await stickyIn(bob, roomId, { since: end }))[0], []);
});

t.test("sendMessage: durations that are none, and too many sticky events of one sender", async (t) => {
  const { alice, roomId } = await people();
  for (const bad of [-1, 3_600_001, "long", "1.5"]) {
    t.match(
      await send(alice, roomId, 1, bad),
      { status: 400, body: { errcode: "M_INVALID_PARAM" } },
      `${bad}`,
    );
  }
  await Promise.all(Array.from({ length: 100 }, (_, n) => stick(alice, roomId, n, 3_600_000)));
  const refused = await send(alice, roomId, 100);
  t.match(refused, { status: 429, body: { errcode: "M_LIMIT_EXCEEDED", retry_after_ms: Number } });
  await say(alice, roomId, "others may be sent");
});

t.test("setRoomStateWithKey: state that is set again is sticky again", async (t) => {
  const { alice, roomId } = await people();
  const path = `${v3}/${encodeURIComponent(roomId)}/state/org.example.rtc/a?org.matrix.msc4354.sticky_duration_ms=5000`;
  const first = await alice.put(path, { n: 1 });
  const second = await alice.put(path, { n: 1 });
  t.not(first.body["event_id"], second.body["event_id"]);
});

t.test("sendMessage: a delayed event is sticky once it is sent", async (t) => {
  const { alice, bob, roomId } = await people();
  await send(alice, roomId, 7, 600_000, "&org.matrix.msc4140.delay=30");
  await until(20_000, "the event", async () => {
    await say(alice, roomId, "newer");
    return (await stickyIn(bob, roomId))[0].length > 0;
  });
  t.same((await stickyIn(bob, roomId))[0], [7]);
});

t.test("sync: sticky events survive a restart", async (t) => {
  const own = await startServer();
  t.teardown(() => own[Symbol.asyncDispose]());
  const alice = await registerUser(own);
  const roomId = await createRoom(alice, {});
  await stick(alice, roomId, 1);
  await say(alice, roomId, "newer");
  await own.restart();
  t.same((await stickyIn(alice, roomId))[0], [1]);
});

interface StickyPart {
  readonly next_batch: string;
  readonly rooms: Record<string, { events: TestEvent[] }>;
}

t.test("slidingSync: all rooms of lists, the oldest first, in pages of their own", async (t) => {
  const { alice, bob, roomId } = await people();
  const other = await createRoom(alice, { preset: "public_chat" }, bob);
  for (const n of [1, 2, 3]) await stick(alice, roomId, n);
  await say(alice, roomId, "newer");
  await stick(alice, other, 4);
  await say(alice, other, "newer");
  const connection = new Connection(bob);
  const body = (since?: string, limit = 2) =>
    oneList(
      { ranges: [[0, 0]], timeline_limit: 1 },
      { extensions: { [extension]: { enabled: true, limit, ...(since !== undefined && { since }) } } },
    );
  const part = async (since?: string, limit?: number) =>
    (await connection.sync(body(since, limit))).extensions[extension] as unknown as StickyPart | undefined;
  const first = await part();
  t.same(numbers(first?.rooms[roomId]?.events ?? []), [1, 2]);
  const second = await part(first?.next_batch, 100);
  t.same(numbers(second?.rooms[roomId]?.events ?? []), [3], "outside of the range");
  t.same(numbers(second?.rooms[other]?.events ?? []), [4]);
  t.equal(await part(second?.next_batch), undefined, "nothing new");
  const waiting = connection.sync(body(second?.next_batch), 20_000);
  await stick(alice, roomId, 5);
  const { rooms, extensions } = await waiting;
  t.match(rooms[roomId]?.timeline, [{ content: { n: 5 } }]);
  t.notOk((extensions[extension] as StickyPart | undefined)?.rooms[roomId], "it is in the timeline");
  t.notOk(extension in (await connection.sync(oneList())).extensions);
});

t.test("slidingSync: who joins a room gets what is sticky there", async (t) => {
  const { alice, roomId } = await people();
  const carol = await registerUser(server);
  await createRoom(carol, {});
  const connection = new Connection(carol);
  const body = (since?: string) =>
    oneList({ timeline_limit: 1 }, { extensions: { [extension]: { enabled: true, since } } });
  await stick(alice, roomId, 1);
  await say(alice, roomId, "newer");
  await connection.sync(body());
  await join(carol, roomId);
  const { body: tokens } = await carol.get("/_matrix/client/v3/sync");
  t.ok(tokens["next_batch"]);
  const { extensions } = await connection.sync(body());
  t.same(numbers((extensions[extension] as unknown as StickyPart).rooms[roomId]?.events ?? []), [1]);
});
