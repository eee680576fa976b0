import t from "tap";
import { registerUser } from "../support/client.ts";
import {
  createRoom,
  join,
  leave,
  type Query,
  say,
  setState,
  sync,
  type SyncedRoom,
} from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");
const carol = await registerUser(server, "carol");

const lazy = (options: object = {}, limit = 1): Query => ({
  filter: { room: { state: { lazy_load_members: true, ...options }, timeline: { limit } } },
});

const membersIn = (room: SyncedRoom): Set<string | undefined> =>
  new Set(room.state.events.filter(({ type }) => type === "m.room.member").map(({ state_key }) => state_key));

/** Named, so that no heroes come into it. */
const newRoom = () => createRoom(alice, { name: "Hall" }, bob, carol);

t.test("sync: a first lazy sync has the senders of the timeline and the user", async (t) => {
  const roomId = await newRoom();
  await say(bob, roomId, "hello");
  const room = (await sync(alice, lazy())).room("join", roomId);
  t.same(membersIn(room), new Set([alice.userId, bob.userId]));
  t.ok(
    room.state.events.some(({ type }) => type === "m.room.create"),
    "other state is complete",
  );
});

t.test("sync: heroes of a room without a name come with their member events", async (t) => {
  const user = await registerUser(server);
  const roomId = await createRoom(user, {}, bob);
  await say(user, roomId, "hello");
  const room = (await sync(user, lazy())).room("join", roomId);
  t.same(room.summary?.["m.heroes"], [bob.userId]);
  t.ok(membersIn(room).has(bob.userId));
});

t.test("sync: a member who is known already is not sent again, unless asked for", async (t) => {
  const roomId = await newRoom();
  await say(bob, roomId, "one");
  const first = await sync(alice, lazy());
  await say(bob, roomId, "two");
  const second = await sync(alice, { ...lazy(), since: first.nextBatch });
  t.same(membersIn(second.room("join", roomId)), new Set());
  const redundant = await sync(alice, {
    ...lazy({ include_redundant_members: true }),
    since: first.nextBatch,
  });
  t.same(membersIn(redundant.room("join", roomId)), new Set([bob.userId]));
  await say(carol, roomId, "three");
  const third = await sync(alice, { ...lazy(), since: second.nextBatch });
  t.same(membersIn(third.room("join", roomId)), new Set([carol.userId]));
});

t.test("sync: members of an answer that was lost are sent again", async (t) => {
  const roomId = await newRoom();
  await say(alice, roomId, "one");
  const { nextBatch: since } = await sync(alice, lazy());
  await say(bob, roomId, "two");
  const lost = await sync(alice, { ...lazy(), since });
  t.same(membersIn(lost.room("join", roomId)), new Set([bob.userId]));
  await say(bob, roomId, "three");
  const repeated = await sync(alice, { ...lazy(), since });
  t.same(membersIn(repeated.room("join", roomId)), new Set([bob.userId]));
  await say(bob, roomId, "four");
  const next = await sync(alice, { ...lazy(), since: repeated.nextBatch });
  t.same(membersIn(next.room("join", roomId)), new Set());
});

t.test("sync: changes of members in a gap come, whoever sent the timeline", async (t) => {
  const roomId = await newRoom();
  const { nextBatch: since } = await sync(alice, lazy());
  await leave(carol, roomId);
  await setState(bob, roomId, "m.room.member", { membership: "join", displayname: "Robert" }, bob.userId);
  await say(alice, roomId, "one");
  await say(alice, roomId, "two");
  const room = (await sync(alice, { ...lazy(), since })).room("join", roomId);
  t.equal(room.timeline.limited, true);
  t.ok(membersIn(room).isSupersetOf(new Set([bob.userId, carol.userId])));
});

t.test("sync: whoever joins a room gets their own member event", async (t) => {
  const user = await registerUser(server);
  const roomId = await newRoom();
  const { nextBatch: since } = await sync(user, lazy());
  await join(user, roomId);
  await say(bob, roomId, "welcome");
  const room = (await sync(user, { ...lazy(), since })).room("join", roomId);
  t.same(membersIn(room), new Set([user.userId, bob.userId]));
});
