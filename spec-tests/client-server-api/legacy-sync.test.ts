import t from "tap";
import { anonymous, registerGuest, registerUser, type TestClient } from "../support/client.ts";
import {
  createRoom,
  type Json,
  join,
  leave,
  moderate,
  type Query,
  queryOf,
  read,
  say,
  setState,
  sync,
  type TestEvent,
} from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

t.setTimeout(120_000);
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");

interface RoomInfo {
  readonly room_id: string;
  readonly membership?: string;
  readonly invite?: TestEvent;
  readonly messages: { readonly chunk: TestEvent[]; readonly start: string; readonly end: string };
  readonly state: TestEvent[];
  readonly visibility: string;
  readonly account_data: Json[];
}

const id = (event: TestEvent) => event.event_id;
const bodies = (events: readonly TestEvent[]) => events.map(({ content }) => content["body"]);

async function initialSync(client: TestClient, query: Query = {}, version = "v3") {
  const path = `/_matrix/client/${version}/initialSync${queryOf(query)}`;
  const { status, body } = await client.get(path, "initialSync");
  if (status !== 200) throw new Error(`initialSync answered ${status}`);
  const rooms = new Map((body["rooms"] as RoomInfo[]).map((room) => [room.room_id, room]));
  return { body, rooms, end: String(body["end"]) };
}

async function roomInitialSync(client: TestClient, roomId: string, query: Query = {}): Promise<RoomInfo> {
  const { status, body } = await read(client, "roomInitialSync", roomId, "initialSync", query);
  if (status !== 200) throw new Error(`roomInitialSync answered ${status}`);
  return body as unknown as RoomInfo;
}

async function nextEvents(client: TestClient, query: Query) {
  const path = `/_matrix/client/v3/events${queryOf(query)}`;
  const answer = await client.get(path, query["room_id"] === undefined ? "getEvents" : undefined);
  const {
    chunk = [],
    start = "",
    end = "",
  } = answer.body as unknown as Partial<{
    chunk: TestEvent[];
    start: string;
    end: string;
  }>;
  return { ...answer, chunk, start, end };
}

function worldReadable(client: TestClient): Promise<string> {
  const visibility = { type: "m.room.history_visibility", content: { history_visibility: "world_readable" } };
  return createRoom(client, { initial_state: [visibility] });
}

t.test(
  "initialSync: rooms with their newest messages and state, invites, and archived rooms when asked",
  async (t) => {
    const bob = await registerUser(server);
    const joined = await createRoom(alice, { name: "Joined", visibility: "public" }, bob);
    for (const text of ["one", "two", "three"]) await say(alice, joined, text);
    const left = await createRoom(alice, { name: "Left" }, bob);
    await say(alice, left, "while there");
    await leave(bob, left);
    await say(alice, left, "afterwards");
    await setState(alice, left, "m.room.name", { name: "Changed" });
    const banned = await createRoom(alice, {}, bob);
    await moderate(alice, banned, "ban", bob.userId);
    const invited = await createRoom(alice, {});
    await moderate(alice, invited, "invite", bob.userId);
    await bob.put(`/_matrix/client/v3/user/${encodeURIComponent(bob.userId)}/account_data/org.example`, {
      a: 1,
    });
    const roomData = `/rooms/${encodeURIComponent(joined)}/account_data/org.example`;
    await bob.put(`/_matrix/client/v3/user/${encodeURIComponent(bob.userId)}${roomData}`, { b: 2 });

    const { rooms, body, end } = await initialSync(bob, { limit: 2 });
    t.same(new Set(rooms.keys()), new Set([joined, invited]));
    const room = rooms.get(joined);
    t.match(room, { membership: "join", visibility: "public" });
    t.same(bodies(room?.messages.chunk ?? []), ["two", "three"], "oldest first");
    t.ok(room?.state.some(({ type, content }) => type === "m.room.name" && content["name"] === "Joined"));
    t.same(room?.account_data, [{ type: "org.example", content: { b: 2 } }]);
    t.match(rooms.get(invited), { membership: "invite", invite: { state_key: bob.userId } });
    t.same(
      new Set((body["account_data"] as Json[]).map(({ type }) => type)),
      new Set(["m.push_rules", "org.example"]),
    );
    t.ok(Array.isArray(body["presence"]));
    const earlier = await read(bob, "getRoomEvents", joined, "messages", {
      dir: "b",
      from: room?.messages.start,
      limit: 1,
    });
    t.same(bodies(earlier.body["chunk"] as TestEvent[]), ["one"], "tokens lead on");
    t.equal((await sync(bob, { since: end })).find("join", joined), undefined, "and into /sync");

    const archived = (await initialSync(bob, { archived: true }, "r0")).rooms;
    t.same(new Set(archived.keys()), new Set([joined, invited, left, banned]));
    t.match(archived.get(left), { membership: "leave" });
    t.equal(archived.get(banned)?.membership, "ban");
    t.same(bodies(archived.get(left)?.messages.chunk.slice(-2) ?? []), ["while there", undefined]);
    t.ok(
      archived.get(left)?.state.some(({ content }) => content["name"] === "Left"),
      "as it was then",
    );
  },
);

t.test("roomInitialSync: members, those who were, and whoever peeks", async (t) => {
  const bob = await registerUser(server);
  const guest = await registerGuest(server);
  const roomId = await worldReadable(alice);
  const first = await say(alice, roomId, "for everybody");
  const seen = await roomInitialSync(guest, roomId);
  t.same(seen.messages.chunk.map(id).at(-1), first);
  t.equal(seen.membership, undefined, "a guest is nobody in it");
  t.ok(seen.state.some(({ type }) => type === "m.room.create"));
  t.equal((await roomInitialSync(alice, roomId, { limit: 0 })).messages.chunk.length, 0);
  const shut = await createRoom(alice, { name: "Shut" }, bob);
  await leave(bob, shut);
  await say(alice, shut, "later");
  t.match(await roomInitialSync(bob, shut), { membership: "leave" });
  t.notOk(
    (await roomInitialSync(bob, shut)).messages.chunk.some(({ content }) => content["body"] === "later"),
  );
  for (const [client, room] of [
    [guest, shut],
    [await registerUser(server), shut],
    [bob, "!unknown:hearth.test"],
  ] as const) {
    t.equal((await read(client, "roomInitialSync", room, "initialSync")).status, 403);
  }
  t.equal((await read(bob, "roomInitialSync", "nonsense", "initialSync")).status, 400);
  t.equal((await read(bob, "roomInitialSync", shut, "initialSync", { limit: "x" })).status, 400);
});

t.test("getEvents: what happens in one's rooms, at once or as soon as it does", async (t) => {
  const bob = await registerUser(server);
  const roomId = await createRoom(alice, {}, bob);
  const { end: from } = await initialSync(bob);
  const other = await createRoom(alice, {});
  const sent = await say(alice, roomId, "one");
  await say(alice, other, "not for bob");
  const answer = await nextEvents(bob, { from, timeout: 0 });
  t.same(answer.chunk.map(id), [sent]);
  t.equal(answer.start, from);
  t.equal(answer.chunk[0]?.room_id, roomId);
  const waiting = nextEvents(bob, { from: answer.end, timeout: 30_000 });
  const later = await say(alice, roomId, "two");
  const woken = await waiting;
  t.same(woken.chunk.map(id), [later]);
  const empty = await nextEvents(bob, { from: woken.end, timeout: 1 });
  t.same(empty.chunk, []);
  await moderate(alice, other, "invite", bob.userId);
  const invite = await nextEvents(bob, { from: empty.end, timeout: 0 });
  t.match(invite.chunk, [
    { type: "m.room.member", state_key: bob.userId, content: { membership: "invite" } },
  ]);
  await join(bob, other);
  await leave(bob, other);
  await say(alice, other, "again not for bob");
  const gone = await nextEvents(bob, { from: invite.end, timeout: 0 });
  t.same(
    gone.chunk.map(({ content }) => content["membership"]),
    ["join", "leave"],
  );
  t.same((await nextEvents(bob, { from: gone.end, timeout: 0 })).chunk, []);
});

t.test("getEvents: many events come in several answers, none missing and none twice", async (t) => {
  const bob = await registerUser(server);
  const rooms = [await createRoom(alice, {}, bob), await createRoom(alice, {}, bob)];
  const { end } = await initialSync(bob);
  const sent: string[] = [];
  for (let count = 0; count < 230; count++) sent.push(await say(alice, rooms[count % 2] ?? "", `${count}`));
  const seen: string[] = [];
  for (let from = end; seen.length < sent.length; ) {
    const answer = await nextEvents(bob, { from, timeout: 0 });
    if (answer.chunk.length === 0) break;
    seen.push(...answer.chunk.map(id));
    from = answer.end;
  }
  t.same(seen, sent);
});

t.test("peekEvents: whoever is outside follows world-readable rooms, and no others", async (t) => {
  const guest = await registerGuest(server);
  const roomId = await worldReadable(alice);
  const { messages } = await roomInitialSync(guest, roomId);
  const waiting = nextEvents(guest, { from: messages.end, timeout: 30_000, room_id: roomId });
  const sent = await say(alice, roomId, "look");
  const seen = await waiting;
  t.same(seen.chunk.map(id), [sent]);
  await setState(alice, roomId, "m.room.history_visibility", { history_visibility: "joined" });
  await say(alice, roomId, "hidden");
  const after = await nextEvents(guest, { from: seen.end, timeout: 0, room_id: roomId });
  t.match(after, { status: 403, body: { errcode: "M_FORBIDDEN" } });
  const own = await nextEvents(alice, { from: seen.end, timeout: 0, room_id: roomId });
  t.same(
    own.chunk.map(({ type }) => type),
    ["m.room.history_visibility", "m.room.message"],
  );
  const unknown = await nextEvents(guest, { room_id: "!unknown:hearth.test", timeout: 0 });
  t.equal(unknown.status, 403);
});

t.test("getOneEvent: an event of any room, if one may see it", async (t) => {
  const roomId = await createRoom(alice, {});
  const sent = await say(alice, roomId, "one");
  const find = (client: TestClient, eventId: string) =>
    client.get(`/_matrix/client/v3/events/${encodeURIComponent(eventId)}`, "getOneEvent");
  const { status, body } = await find(alice, sent);
  t.equal(status, 200);
  t.match(body, { event_id: sent, room_id: roomId });
  t.match(await find(await registerUser(server), sent), { status: 404, body: { errcode: "M_NOT_FOUND" } });
  t.equal((await find(alice, "$nothing")).status, 404);
});

t.test("getEvents, initialSync: bad requests", async (t) => {
  t.match(await nextEvents(alice, { from: "nonsense" }), {
    status: 400,
    body: { errcode: "M_INVALID_PARAM" },
  });
  t.equal((await nextEvents(alice, { timeout: -1 })).status, 400);
  t.equal((await nextEvents(alice, { room_id: "nonsense", timeout: 0 })).status, 400);
  t.equal((await alice.get("/_matrix/client/v3/initialSync?limit=x", "initialSync")).status, 400);
  t.equal((await anonymous(server).get("/_matrix/client/v3/initialSync", "initialSync")).status, 401);
  const guest = await registerGuest(server);
  t.equal((await guest.get("/_matrix/client/v3/initialSync", "initialSync")).status, 403);
  t.equal((await guest.get("/_matrix/client/v3/events?timeout=0", "getEvents")).status, 200);
});
