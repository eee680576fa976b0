import t, { type Test } from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { createRoom, type Json, join, leave, say, sync } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";
import { Connection, oneList, type SlidingAnswer } from "../support/sliding-sync.ts";
import { within } from "../support/within.ts";

const v3 = "/_matrix/client/v3";
const status = "org.matrix.msc4426.status";
const afk = { text: "AFK", emoji: "🏃" };
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

function fieldPath({ userId }: TestClient, name: string): string {
  return `${v3}/profile/${encodeURIComponent(userId)}/${name}`;
}

function set(user: TestClient, name: string, value: unknown) {
  return user.put(fieldPath(user, name), { [name]: value }, "setProfileField");
}

function clear(user: TestClient, name: string) {
  return user.delete(fieldPath(user, name), undefined, "deleteProfileField");
}

/** /sync of a client that wants to hear of some fields. */
async function heard(user: TestClient, ids: string[], since?: string, timeout = 0) {
  const filter = { "org.matrix.msc4429.profile_fields": { ids } };
  const answer = await sync(user, { since, filter, timeout });
  const users = answer.body["org.matrix.msc4429.users"] as Record<string, Json> | undefined;
  const updates = Object.entries(users ?? {}).map(([userId, entry]) => [userId, entry["profile_updates"]]);
  return { since: answer.nextBatch, users: users && (Object.fromEntries(updates) as Json) };
}

t.test("sync: who asks hears of the profiles of neighbours, their own included (MSC4429)", async (t) => {
  const [alice, bob, carol] = [
    await registerUser(server),
    await registerUser(server),
    await registerUser(server),
  ];
  const { body: versions } = await alice.get("/_matrix/client/versions", "getVersions");
  t.match(versions, { unstable_features: { "org.matrix.msc4429": true, "org.matrix.msc4262": true } });
  await set(bob, status, afk);
  await set(carol, status, afk);
  const roomId = await createRoom(alice, {}, bob);
  const first = await heard(alice, [status, "m.tz"]);
  t.strictSame(first.users, { [bob.userId]: { [status]: afk } }, "a first sync has all that is set");
  t.equal((await heard(alice, [])).users, undefined);
  t.notOk("org.matrix.msc4429.users" in (await sync(alice)).body, "nobody gets it unasked");

  await set(alice, "m.tz", "Europe/Paris");
  await set(bob, "m.tz", "Asia/Tokyo");
  await set(bob, "m.tz", "Asia/Seoul");
  await set(bob, "org.example.other", 1);
  await set(carol, "m.tz", "Asia/Tokyo");
  await clear(bob, status);
  const second = await heard(alice, [status, "m.tz"], first.since);
  t.strictSame(second.users, {
    [alice.userId]: { "m.tz": "Europe/Paris" },
    [bob.userId]: { [status]: null, "m.tz": "Asia/Seoul" },
  });
  t.equal((await heard(alice, [status, "m.tz"], second.since)).users, undefined);

  await join(carol, roomId);
  const third = await heard(alice, [status, "m.tz"], second.since);
  t.strictSame(third.users, { [carol.userId]: { [status]: afk, "m.tz": "Asia/Tokyo" } }, "who has come");
  await leave(carol, roomId);
  const fourth = await heard(alice, [status], third.since);
  t.strictSame(fourth.users, { [carol.userId]: null }, "who has gone");
  await set(carol, status, { ...afk, text: "away" });
  t.equal((await heard(alice, [status], fourth.since)).users, undefined);
});

t.test("sync: a change of a profile ends a long poll, for those whom it concerns", async (t) => {
  const [alice, bob] = [await registerUser(server), await registerUser(server)];
  const roomId = await createRoom(alice, {}, bob);
  const { since } = await heard(alice, [status]);
  const polling = heard(alice, [status], since, 60_000);
  await set(bob, status, afk);
  const told = await within(30_000, "the change to arrive", polling);
  t.strictSame(told.users, { [bob.userId]: { [status]: afk } });
  const other = heard(alice, ["m.tz"], told.since, 60_000);
  await set(bob, status, { ...afk, text: "back" });
  await say(bob, roomId, "Here I am");
  t.equal(
    (await within(30_000, "the message to arrive", other)).users,
    undefined,
    "a field that was not asked for",
  );
});

t.test("sync: rooms that one joins bring the profiles of those in them, after a restart too", async (t) => {
  const [alice, bob] = [await registerUser(server), await registerUser(server)];
  const roomId = await createRoom(bob);
  await set(bob, status, afk);
  const { since } = await heard(alice, [status]);
  await join(alice, roomId);
  await server.restart();
  const told = await heard(alice, [status], since);
  t.strictSame(told.users, { [bob.userId]: { [status]: afk } });
});

t.test("defineFilter: fields of profiles are a list of names", async (t) => {
  const alice = await registerUser(server);
  const define = (ids: unknown) =>
    alice.post(
      `${v3}/user/${alice.userId}/filter`,
      { "org.matrix.msc4429.profile_fields": { ids } },
      "defineFilter",
    );
  t.equal((await define(["m.tz"])).status, 200);
  for (const ids of ["m.tz", [5], Array.from({ length: 101 }, (_, n) => `f${n}`)]) {
    t.match(await define(ids), { status: 400, body: { errcode: "M_BAD_JSON" } });
  }
});

function profilesIn({ extensions }: SlidingAnswer): unknown {
  return extensions["org.matrix.msc4262.profiles"]?.["users"];
}

/** A body with one list and the extension. */
function withProfiles(fields?: string[], rules: Json = {}): Json {
  return oneList(rules, { extensions: { "org.matrix.msc4262.profiles": { enabled: true, fields } } });
}

async function slidingScene() {
  const [alice, bob] = [await registerUser(server), await registerUser(server)];
  await set(bob, status, afk);
  await set(bob, "m.tz", "Asia/Tokyo");
  const roomId = await createRoom(alice, {}, bob);
  return { alice, bob, roomId, connection: new Connection(alice) };
}

t.test("slidingSync: profiles of those in the rooms that a client sees, then their changes", async (t) => {
  const { alice, bob, roomId, connection } = await slidingScene();
  const body = withProfiles([status]);
  const updated = (user: TestClient, fields: Json) => ({ [user.userId]: { updated: fields } });
  t.strictSame(profilesIn(await connection.sync(body)), updated(bob, { [status]: afk }));
  t.equal(profilesIn(await connection.sync(body)), undefined);
  await set(bob, status, { ...afk, text: "back" });
  await set(alice, status, afk);
  await set(bob, "m.tz", "Asia/Seoul");
  const position = connection.pos;
  const wanted = {
    ...updated(bob, { [status]: { ...afk, text: "back" } }),
    ...updated(alice, { [status]: afk }),
  };
  t.match(profilesIn(await connection.sync(body)), wanted);
  connection.pos = position;
  t.match(profilesIn(await connection.sync(body)), wanted, "the answer may have been lost");
  await clear(bob, status);
  t.strictSame(profilesIn(await connection.sync(body)), { [bob.userId]: { removed: [status] } });

  const carol = await registerUser(server);
  await set(carol, status, afk);
  await join(carol, roomId);
  t.strictSame(profilesIn(await connection.sync(body)), updated(carol, { [status]: afk }), "who has come");
  await leave(carol, roomId);
  t.strictSame(profilesIn(await connection.sync(body)), { [carol.userId]: null }, "who has gone");
});

t.test("slidingSync: more fields, all fields, and no fields any more", async (t) => {
  const { alice, bob, connection } = await slidingScene();
  await connection.sync(withProfiles([status]));
  const more = withProfiles([status, "m.tz"]);
  t.match(profilesIn(await connection.sync(more)), {
    [bob.userId]: { updated: { "m.tz": "Asia/Tokyo" } },
  });
  t.equal(profilesIn(await connection.sync(more)), undefined);
  const all = profilesIn(await connection.sync(withProfiles())) as Record<string, { updated: Json }>;
  t.ok(all[bob.userId]?.updated["displayname"]);
  t.ok(all[alice.userId]?.updated["displayname"]);
  t.equal(profilesIn(await connection.sync(oneList())), undefined, "switched off");
  await set(bob, "m.tz", "Asia/Seoul");
  t.match(profilesIn(await connection.sync(withProfiles(["m.tz"]))), {
    [bob.userId]: { updated: { "m.tz": "Asia/Seoul" } },
  });
});

t.test("slidingSync: profiles come as lazily as members do", async (t) => {
  const { alice, bob, roomId, connection } = await slidingScene();
  const body = withProfiles([status], { required_state: [["m.room.member", "$LAZY"]], timeline_limit: 1 });
  await say(alice, roomId, "Hello?");
  t.equal(profilesIn(await connection.sync(body)), undefined, "Bob has said nothing");
  await say(bob, roomId, "Hello!");
  t.strictSame(profilesIn(await connection.sync(body)), { [bob.userId]: { updated: { [status]: afk } } });
  await say(bob, roomId, "Hello again!");
  t.equal(profilesIn(await connection.sync(body)), undefined);
});

function refused(t: Test, answer: { status: number; body: Json }, errcode: string): void {
  t.strictSame([answer.status, answer.body["errcode"]], [400, errcode], JSON.stringify(answer.body));
}

t.test("setProfileField: what a user is doing (MSC4426)", async (t) => {
  const alice = await registerUser(server);
  for (const name of [status, "m.status"]) {
    t.equal((await set(alice, name, { text: "é".repeat(128), emoji: "🏃".repeat(8) })).status, 200);
    refused(t, await set(alice, name, { ...afk, text: `${"é".repeat(128)}x` }), "M_TOO_LARGE");
    refused(t, await set(alice, name, { ...afk, emoji: `${"🏃".repeat(8)}x` }), "M_TOO_LARGE");
    for (const wrong of ["AFK", null, {}, { text: "AFK" }, { ...afk, emoji: 5 }]) {
      refused(t, await set(alice, name, wrong), "M_BAD_JSON");
    }
  }
  for (const name of ["org.matrix.msc4426.call", "m.call"]) {
    t.equal((await set(alice, name, {})).status, 200);
    t.equal((await set(alice, name, { call_joined_ts: 1_770_140_640 })).status, 200);
    for (const wrong of ["now", null, [], { call_joined_ts: "now" }]) {
      refused(t, await set(alice, name, wrong), "M_BAD_JSON");
    }
  }
});
