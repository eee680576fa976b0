import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { createRoom, join, leave, moderate, say, send, setState } from "../support/rooms.ts";
import { search, searchAll } from "../support/search.ts";
import { startServer } from "../support/server.ts";

t.setTimeout(120_000);
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");

const visibilities = ["world_readable", "shared", "invited", "joined"] as const;

function roomWith(visibility: string): Promise<string> {
  const state = { type: "m.room.history_visibility", content: { history_visibility: visibility } };
  return createRoom(alice, { initial_state: [state] });
}

function found(client: TestClient, term: string): Promise<string[]> {
  return searchAll(client, term, { order_by: "recent" });
}

for (const visibility of visibilities) {
  t.test(`search: what history visibility "${visibility}" lets see`, async (t) => {
    const bob = await registerUser(server);
    const roomId = await roomWith(visibility);
    const before = await say(alice, roomId, "walrus before");
    t.same(await found(bob, "walrus"), [], "nothing of rooms that one was never in");
    await moderate(alice, roomId, "invite", bob.userId);
    const invited = await say(alice, roomId, "walrus while invited");
    t.same(await found(bob, "walrus"), []);
    await join(bob, roomId);
    const joined = await say(alice, roomId, "walrus while joined");
    const earlier = {
      world_readable: [invited, before],
      shared: [invited, before],
      invited: [invited],
      joined: [],
    };
    const seen = [joined, ...earlier[visibility]];
    t.same(await found(bob, "walrus"), seen);
    t.same(new Set(await searchAll(bob, "walrus")), new Set(seen), "by rank as well");
    const { count } = await search(bob, "walrus", { filter: { limit: 1 } });
    t.ok(count <= seen.length, "hidden messages are not counted");
    await leave(bob, roomId);
    await say(alice, roomId, "walrus after");
    t.same(await found(bob, "walrus"), seen, "up to when they left");
    await bob.post(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/forget`, {});
    t.same(await found(bob, "walrus"), [], "and nothing of forgotten rooms");
  });
}

t.test("search: who is banned or comes back", async (t) => {
  const bob = await registerUser(server);
  const roomId = await roomWith("joined");
  await join(bob, roomId);
  const first = await say(alice, roomId, "otter one");
  await moderate(alice, roomId, "ban", bob.userId);
  await say(alice, roomId, "otter two");
  t.same(await found(bob, "otter"), [first]);
  await alice.post(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/unban`, { user_id: bob.userId });
  await join(bob, roomId);
  const third = await say(alice, roomId, "otter three");
  t.same(await found(bob, "otter"), [third, first]);
});

t.test("search: an edit that one may not see is not found, nor anything by its words", async (t) => {
  const bob = await registerUser(server);
  const roomId = await roomWith("shared");
  await join(bob, roomId);
  const eventId = await say(alice, roomId, "badger original");
  await leave(bob, roomId);
  await send(alice, roomId, "m.room.message", {
    msgtype: "m.text",
    body: "* confidential",
    "m.new_content": { msgtype: "m.text", body: "badger confidential" },
    "m.relates_to": { rel_type: "m.replace", event_id: eventId },
  });
  t.same(await found(alice, "confidential"), [eventId]);
  t.same(await found(bob, "confidential"), []);
  t.same(await found(bob, "badger"), [eventId], "what both versions say is found");
});

t.test("search: ignored users", async (t) => {
  const bob = await registerUser(server);
  const roomId = await roomWith("shared");
  await join(bob, roomId);
  const ofAlice = await say(alice, roomId, "heron");
  const ofBob = await say(bob, roomId, "heron, too");
  t.same(await found(alice, "heron"), [ofBob, ofAlice]);
  const path = `/_matrix/client/v3/user/${encodeURIComponent(alice.userId)}/account_data/m.ignored_user_list`;
  await alice.put(path, { ignored_users: { [bob.userId]: {} } });
  t.same(await found(alice, "heron"), [ofAlice]);
  await alice.put(path, { ignored_users: {} });
});

t.test(
  "search: a room that is encrypted from the start gives nothing, a name set before neither",
  async (t) => {
    const roomId = await createRoom(alice, { name: "Ibis" });
    t.equal((await found(alice, "ibis")).length, 1);
    await setState(alice, roomId, "m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" });
    await say(alice, roomId, "ibis in the clear");
    t.same(await found(alice, "ibis"), []);
  },
);
