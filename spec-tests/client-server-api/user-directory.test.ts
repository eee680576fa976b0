import t from "tap";
import { anonymous, registerAdmin, registerUser, type TestClient } from "../support/client.ts";
import { createRoom, join, type Json, moderate, queryOf, type Query } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const v3 = "/_matrix/client/v3";
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");
const zoe = await registerUser(server, "z.lefevre");

const ask = (client: TestClient, body: unknown) =>
  client.post(`${v3}/user_directory/search`, body, "searchUserDirectory");

async function find(client: TestClient, term: string): Promise<unknown[]> {
  const { body } = await ask(client, { search_term: term });
  return (body["results"] as Json[]).map(({ user_id: id }) => id);
}

async function rename(client: TestClient, name: string): Promise<void> {
  const path = `${v3}/profile/${encodeURIComponent(client.userId)}/displayname`;
  await client.put(path, { displayname: name });
}

await rename(zoe, "Zoë Lefèvre");

t.test("searchUserDirectory finds those who share a room or are in a public one", async (t) => {
  t.strictSame(await find(alice, "zoe"), [], "nothing tells alice of her");
  const closed = await createRoom(alice, { preset: "private_chat", invite: [zoe.userId] });
  t.strictSame(await find(alice, "zoe"), [], "she is not in it yet");
  await join(zoe, closed);
  t.strictSame(await find(alice, "zoe"), [zoe.userId]);
  t.strictSame(await find(bob, "zoe"), [], "bob is not in it");
  await createRoom(zoe);
  t.strictSame(await find(bob, "zoe"), [zoe.userId], "her own room is public");
});

t.test("searchUserDirectory does not find those who search", async (t) => {
  t.strictSame(await find(zoe, "zoe"), []);
});

t.test("searchUserDirectory takes names and user IDs as people type them", async (t) => {
  for (const term of ["ZOË", "lefevre zoe", "@z.lefevre", "@z.lef:hearth", "  lef ", zoe.userId]) {
    t.strictSame(await find(alice, term), [zoe.userId], term);
  }
  for (const term of ["", "@", '"', "* OR *", "@z.lefevre:other.test", "zoe unknown", "evre", "🎉"]) {
    t.strictSame(await find(alice, term), [], term);
  }
  const { body } = await ask(alice, { search_term: "zoe" });
  t.strictSame(body, {
    results: [{ user_id: zoe.userId, display_name: "Zoë Lefèvre" }],
    limited: false,
  });
  await rename(zoe, "山田花子");
  t.strictSame(await find(alice, "花"), [zoe.userId]);
  t.strictSame(await find(alice, "zoe"), []);
  await rename(zoe, "Zoë Lefèvre");
});

t.test("searchUserDirectory ranks those who share a room first, and keeps to the limit", async (t) => {
  const names = ["kim-1", "kim-2", "kim-3"];
  const kims = await Promise.all(names.map((name) => registerUser(server, name)));
  const hall = await createRoom(bob, {}, ...kims);
  const [, , kim3] = kims;
  const room = await createRoom(alice, { preset: "private_chat", invite: [kim3?.userId] });
  if (kim3) await join(kim3, room);
  t.equal((await find(alice, "kim"))[0], kim3?.userId);
  t.equal((await find(alice, "kim")).length, 3);
  const { body } = await ask(alice, { search_term: "kim", limit: 2 });
  t.equal((body["results"] as Json[]).length, 2);
  t.equal(body["limited"], true);
  await moderate(bob, hall, "kick", kims[0]?.userId ?? "");
  t.equal((await find(alice, "kim")).length, 2, "who has left is not found any more");
});

t.test("searchUserDirectory leaves out those who are locked or gone", async (t) => {
  const dora = await registerUser(server, "dora");
  await createRoom(dora);
  t.strictSame(await find(bob, "dora"), [dora.userId]);
  const admin = await registerAdmin(server);
  const lock = `/_matrix/client/v1/admin/lock/${encodeURIComponent(dora.userId)}`;
  t.equal((await admin.put(lock, { locked: true })).status, 200);
  t.strictSame(await find(bob, "dora"), []);
  t.equal((await admin.put(lock, { locked: false })).status, 200);
  t.strictSame(await find(bob, "dora"), [dora.userId]);
});

t.test("searchUserDirectory refuses what cannot be", async (t) => {
  for (const body of [
    {},
    { search_term: 5 },
    { search_term: "a", limit: "1" },
    [],
    { search_term: "a", limit: 0 },
  ]) {
    const answer = await ask(alice, body);
    t.equal(answer.status, 400, JSON.stringify(body));
  }
  t.equal((await ask(anonymous(server), { search_term: "a" })).status, 401);
});

t.test("searchUserDirectory finds everybody where the configuration says so", async (t) => {
  await using open = await startServer({ user_directory: { search_all_users: true } });
  const first = await registerUser(open, "first");
  const second = await registerUser(open, "second");
  t.strictSame(await find(first, "sec"), [second.userId]);
});

t.test("getMutualRooms tells the rooms that two users share", async (t) => {
  const carol = await registerUser(server, "carol");
  const rooms = [await createRoom(alice, {}, carol), await createRoom(carol, {}, alice)];
  await createRoom(carol, { invite: [alice.userId] });
  const mutual = (client: TestClient, query: Query, path = "v1/mutual_rooms") =>
    client.get(`/_matrix/client/${path}${queryOf(query)}`, "getMutualRooms");
  const answer = await mutual(alice, { user_id: carol.userId });
  t.strictSame(answer.body, { joined: rooms, count: 2 });
  const unstable = "unstable/uk.half-shot.msc2666/user/mutual_rooms";
  t.strictSame((await mutual(carol, { user_id: alice.userId }, unstable)).body, { joined: rooms, count: 2 });
  t.strictSame((await mutual(alice, { user_id: "@nobody:hearth.test" })).body, { joined: [], count: 0 });

  const refused = async (query: Query, errcode = "M_INVALID_PARAM") =>
    t.match(await mutual(alice, query), { status: 400, body: { errcode } }, JSON.stringify(query));
  await refused({}, "M_MISSING_PARAM");
  await refused({ user_id: "carol" });
  await refused({ user_id: "@ü:hearth.test" });
  await refused({ user_id: alice.userId });
  await refused({ user_id: carol.userId, from: "elsewhere" });
});

t.test("getMutualRooms turns pages", async (t) => {
  const dave = await registerUser(server, "dave");
  const rooms: string[] = [];
  for (let index = 0; index < 102; index++) rooms.push(await createRoom(bob, {}, dave));
  const page = async (from?: string) => {
    const path = `/_matrix/client/v1/mutual_rooms${queryOf({ user_id: dave.userId, from })}`;
    return (await bob.get(path, "getMutualRooms")).body;
  };
  const first = await page();
  t.equal(first["count"], 102);
  const second = await page(String(first["next_batch"]));
  t.equal(second["next_batch"], undefined);
  t.strictSame([...(first["joined"] as string[]), ...(second["joined"] as string[])], rooms);
});
