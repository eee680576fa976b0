import t, { type Test } from "tap";
import { anonymous, registerUser, type TestAnswer, type TestClient } from "../support/client.ts";
import { startServer } from "../support/server.ts";

const roomKeys = "/_matrix/client/v3/room_keys";
const algorithm = "m.megolm_backup.v1.curve25519-aes-sha2";
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

type Json = Record<string, unknown>;

function create(client: TestClient, authData: object = { public_key: "abc" }) {
  return client.post(`${roomKeys}/version`, { algorithm, auth_data: authData }, "postRoomKeysVersion");
}

function key(change: Json = {}): Json {
  const data = { ephemeral: "e", ciphertext: "c", mac: "m" };
  return { first_message_index: 5, forwarded_count: 5, is_verified: false, session_data: data, ...change };
}

function refused(t: Test, answer: TestAnswer, errcode: string, status = 400): void {
  t.equal(answer.status, status, JSON.stringify(answer.body));
  t.equal(answer.body["errcode"], errcode, JSON.stringify(answer.body));
}

/** A user with an empty backup. */
async function withBackup(): Promise<{ client: TestClient; version: string; at: (path?: string) => string }> {
  const client = await registerUser(server);
  const version = String((await create(client)).body["version"]);
  return { client, version, at: (path = "") => `${roomKeys}/keys${path}?version=${version}` };
}

const room = encodeURIComponent("!room:hearth.test");

t.test(
  "postRoomKeysVersion, getRoomKeysVersion, getRoomKeysVersionCurrent: the newest is the current one",
  async (t) => {
    const alice = await registerUser(server);
    refused(t, await alice.get(`${roomKeys}/version`, "getRoomKeysVersionCurrent"), "M_NOT_FOUND", 404);
    const first = await create(alice, {
      public_key: "1",
      signatures: { [alice.userId]: { "ed25519:A": "s" } },
    });
    const second = await create(alice, { public_key: "2" });
    t.not(second.body["version"], first.body["version"]);
    const current = await alice.get(`${roomKeys}/version`, "getRoomKeysVersionCurrent");
    t.strictSame(current.body, {
      version: second.body["version"],
      algorithm,
      auth_data: { public_key: "2" },
      count: 0,
      etag: "0",
    });
    const old = await alice.get(`${roomKeys}/version/${String(first.body["version"])}`, "getRoomKeysVersion");
    t.match(old.body, {
      auth_data: { public_key: "1", signatures: { [alice.userId]: { "ed25519:A": "s" } } },
    });
    for (const unknown of ["99", "0", "-1", "1x", "latest"]) {
      refused(t, await alice.get(`${roomKeys}/version/${unknown}`, "getRoomKeysVersion"), "M_NOT_FOUND", 404);
    }
    const bob = await registerUser(server);
    refused(t, await bob.get(`${roomKeys}/version/1`, "getRoomKeysVersion"), "M_NOT_FOUND", 404);
  },
);

t.test("postRoomKeysVersion: bad bodies and too many backups are refused", async (t) => {
  const alice = await registerUser(server);
  const post = (body: unknown) => alice.post(`${roomKeys}/version`, body, "postRoomKeysVersion");
  refused(t, await post({ algorithm }), "M_BAD_JSON");
  refused(t, await post({ auth_data: {} }), "M_BAD_JSON");
  refused(t, await post({ algorithm: 1, auth_data: {} }), "M_BAD_JSON");
  refused(t, await post({ algorithm, auth_data: "x" }), "M_BAD_JSON");
  refused(t, await create(anonymous(server)), "M_MISSING_TOKEN", 401);
  for (let count = 0; count < 50; count += 1) await create(alice);
  refused(t, await create(alice), "M_TOO_LARGE", 413);
});

t.test("putRoomKeysVersion: changes the data of a backup and nothing else", async (t) => {
  const { client, version } = await withBackup();
  const put = (body: unknown, of = version) =>
    client.put(`${roomKeys}/version/${of}`, body, "putRoomKeysVersion");
  t.equal((await put({ algorithm, auth_data: { public_key: "new" } })).status, 200);
  t.equal((await put({ algorithm, auth_data: { public_key: "newer" }, version })).status, 200);
  refused(t, await put({ algorithm, auth_data: {}, version: "99" }), "M_INVALID_PARAM");
  refused(t, await put({ algorithm: "other", auth_data: {} }), "M_INVALID_PARAM");
  refused(t, await put({ algorithm }), "M_BAD_JSON");
  refused(t, await put({ algorithm, auth_data: {} }, "99"), "M_NOT_FOUND", 404);
  const { body } = await client.get(`${roomKeys}/version`, "getRoomKeysVersionCurrent");
  t.match(body, { version, algorithm, auth_data: { public_key: "newer" } });
});

t.test(
  "deleteRoomKeysVersion: the backup and its keys are gone, and its version is never given again",
  async (t) => {
    const { client, version, at } = await withBackup();
    await client.put(at(), { rooms: { "!room:hearth.test": { sessions: { s: key() } } } }, "putRoomKeys");
    const remove = (of: string) =>
      client.delete(`${roomKeys}/version/${of}`, undefined, "deleteRoomKeysVersion");
    t.equal((await remove(version)).status, 200);
    t.equal((await remove(version)).status, 200, "deleted before");
    refused(t, await remove("99"), "M_NOT_FOUND", 404);
    refused(t, await client.get(at(), "getRoomKeys"), "M_NOT_FOUND", 404);
    refused(t, await client.get(`${roomKeys}/version`, "getRoomKeysVersionCurrent"), "M_NOT_FOUND", 404);
    t.not((await create(client)).body["version"], version);
  },
);

t.test("putRoomKeys, getRoomKeys: keys of several rooms", async (t) => {
  const { client, at } = await withBackup();
  t.strictSame((await client.get(at(), "getRoomKeys")).body, { rooms: {} });
  const rooms = {
    "!a:hearth.test": { sessions: { s1: key(), s2: key({ is_verified: true }) } },
    "!b:hearth.test": { sessions: { s1: key({ extra: [1, 2] }) } },
  };
  const stored = await client.put(at(), { rooms }, "putRoomKeys");
  t.strictSame(stored.body, { etag: "1", count: 3 });
  t.strictSame((await client.get(at(), "getRoomKeys")).body, { rooms });
  const again = await client.put(at(), { rooms }, "putRoomKeys");
  t.strictSame(again.body, { etag: "1", count: 3 }, "nothing has changed");
  t.match((await client.get(`${roomKeys}/version`)).body, { etag: "1", count: 3 });
});

t.test("putRoomKeysByRoomId, getRoomKeysByRoomId: keys of one room", async (t) => {
  const { client, at } = await withBackup();
  const sessions = { s1: key(), s2: key() };
  const stored = await client.put(at(`/${room}`), { sessions }, "putRoomKeysByRoomId");
  t.strictSame(stored.body, { etag: "1", count: 2 });
  t.strictSame((await client.get(at(`/${room}`), "getRoomKeysByRoomId")).body, { sessions });
  const other = encodeURIComponent("!other:hearth.test");
  t.strictSame((await client.get(at(`/${other}`), "getRoomKeysByRoomId")).body, { sessions: {} });
});

t.test("putRoomKeyBySessionId, getRoomKeyBySessionId: the better key stays", async (t) => {
  const { client, at } = await withBackup();
  const session = `/${room}/${encodeURIComponent("a/b+c=")}`;
  refused(t, await client.get(at(session), "getRoomKeyBySessionId"), "M_NOT_FOUND", 404);
  const put = (data: Json) => client.put(at(session), data, "putRoomKeyBySessionId");
  const better = [
    key(),
    key({ forwarded_count: 4 }),
    key({ first_message_index: 4, forwarded_count: 9 }),
    key({ is_verified: true, first_message_index: 9, forwarded_count: 9 }),
  ];
  for (const [index, data] of better.entries()) {
    t.strictSame((await put(data)).body, { etag: String(index + 1), count: 1 });
    await put(better[0] ?? {});
    t.strictSame((await client.get(at(session), "getRoomKeyBySessionId")).body, data);
  }
});

t.test("putRoomKeys: what is wrong with a request", async (t) => {
  const { client, at } = await withBackup();
  const session = at(`/${room}/s`);
  const put = (data: unknown) => client.put(session, data, "putRoomKeyBySessionId");
  for (const name of Object.keys(key())) refused(t, await put(key({ [name]: undefined })), "M_BAD_JSON");
  refused(t, await put(key({ first_message_index: "1" })), "M_BAD_JSON");
  refused(t, await put(key({ first_message_index: -1 })), "M_BAD_JSON");
  refused(t, await put(key({ is_verified: 1 })), "M_BAD_JSON");
  refused(t, await put(key({ session_data: "x" })), "M_BAD_JSON");
  refused(t, await put(key({ session_data: { x: "x".repeat(17 * 1024) } })), "M_TOO_LARGE", 413);
  const bad = { rooms: { nonsense: { sessions: { s: key() } } } };
  refused(t, await client.put(at(), bad, "putRoomKeys"), "M_INVALID_PARAM");
  const long = { rooms: { "!r:hearth.test": { sessions: { ["s".repeat(256)]: key() } } } };
  refused(t, await client.put(at(), long, "putRoomKeys"), "M_INVALID_PARAM");
  refused(t, await client.put(at(), { rooms: [] }, "putRoomKeys"), "M_BAD_JSON");
  refused(t, await client.put(`${roomKeys}/keys`, { rooms: {} }, "putRoomKeys"), "M_MISSING_PARAM");
  refused(t, await anonymous(server).put(at(), { rooms: {} }), "M_MISSING_TOKEN", 401);
  t.match((await client.get(`${roomKeys}/version`)).body, { etag: "0", count: 0 });
});

t.test("putRoomKeys: keys go into the current backup only", async (t) => {
  const { client, at } = await withBackup();
  const { body } = await create(client);
  const rooms = { "!r:hearth.test": { sessions: { s: key() } } };
  const wrong = await client.put(at(), { rooms }, "putRoomKeys");
  refused(t, wrong, "M_WRONG_ROOM_KEYS_VERSION", 403);
  t.equal(wrong.body["current_version"], body["version"]);
  refused(t, await client.put(`${roomKeys}/keys?version=99`, { rooms }, "putRoomKeys"), "M_NOT_FOUND", 404);
  t.strictSame((await client.get(at(), "getRoomKeys")).body, { rooms: {} });
});

t.test(
  "deleteRoomKeyBySessionId, deleteRoomKeysByRoomId, deleteRoomKeys: fewer and fewer keys",
  async (t) => {
    const { client, at } = await withBackup();
    const other = { sessions: { s: key() } };
    const rooms = { "!room:hearth.test": { sessions: { s1: key(), s2: key() } }, "!x:hearth.test": other };
    await client.put(at(), { rooms }, "putRoomKeys");
    const remove = async (path: string, operationId: string) =>
      (await client.delete(at(path), undefined, operationId)).body;
    t.strictSame(await remove(`/${room}/s1`, "deleteRoomKeyBySessionId"), { etag: "2", count: 2 });
    t.strictSame(await remove(`/${room}/s1`, "deleteRoomKeyBySessionId"), { etag: "2", count: 2 });
    t.strictSame(await remove(`/${room}`, "deleteRoomKeysByRoomId"), { etag: "3", count: 1 });
    t.strictSame((await client.get(at(), "getRoomKeys")).body, { rooms: { "!x:hearth.test": other } });
    t.strictSame(await remove("", "deleteRoomKeys"), { etag: "4", count: 0 });
    t.strictSame((await client.get(at(), "getRoomKeys")).body, { rooms: {} });
    const gone = `${roomKeys}/keys?version=99`;
    refused(t, await client.delete(gone, undefined, "deleteRoomKeys"), "M_NOT_FOUND", 404);
    refused(t, await client.get(gone, "getRoomKeys"), "M_NOT_FOUND", 404);
  },
);

t.test("getRoomKeys, getRoomKeysByRoomId: a large backup comes as a whole", async (t) => {
  const { client, at } = await withBackup();
  const data = key({ session_data: { ciphertext: "c".repeat(300) } });
  const rooms: Record<string, { sessions: Record<string, Json> }> = {};
  for (let number = 0; number < 3; number += 1) {
    const sessions = Array.from({ length: 800 }, (_, index) => [`session ${index}`, data]);
    rooms[`!${number}:hearth.test`] = { sessions: Object.fromEntries(sessions) as Record<string, Json> };
  }
  t.strictSame((await client.put(at(), { rooms }, "putRoomKeys")).body["count"], 2400);
  const answer = await client.get(at(), "getRoomKeys");
  t.equal(answer.headers.get("content-type"), "application/json");
  t.strictSame(answer.body, { rooms });
  const one = await client.get(at(`/${encodeURIComponent("!1:hearth.test")}`), "getRoomKeysByRoomId");
  t.strictSame(one.body, rooms["!1:hearth.test"]);
  t.strictSame((await client.delete(at(), undefined, "deleteRoomKeys")).body["count"], 0);
});
