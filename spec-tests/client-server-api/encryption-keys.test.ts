import t, { type Test } from "tap";
import { anonymous, login, registerUser, type TestClient } from "../support/client.ts";
import { makeDevice } from "../support/keys.ts";
import { startServer } from "../support/server.ts";

const v3 = "/_matrix/client/v3";
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

function upload(client: TestClient, body: unknown) {
  return client.post(`${v3}/keys/upload`, body, "uploadKeys");
}

function query(client: TestClient, wanted: unknown) {
  return client.post(`${v3}/keys/query`, { device_keys: wanted }, "queryKeys");
}

function claim(client: TestClient, wanted: unknown) {
  return client.post(`${v3}/keys/claim`, { one_time_keys: wanted }, "claimKeys");
}

function refused(
  t: Test,
  answer: { status: number; body: Record<string, unknown> },
  errcode: string,
  status = 400,
) {
  t.equal(answer.status, status, JSON.stringify(answer.body));
  t.equal(answer.body["errcode"], errcode, JSON.stringify(answer.body));
}

t.test("uploadKeys, queryKeys: others see what a device uploads, with its name", async (t) => {
  const alice = await registerUser(server, undefined, { deviceName: "Alice's phone" });
  const bob = await registerUser(server);
  const { deviceKeys } = makeDevice(alice);
  t.strictSame((await query(bob, { [alice.userId]: [] })).body["device_keys"], { [alice.userId]: {} });
  t.strictSame((await upload(alice, { device_keys: deviceKeys })).body, { one_time_key_counts: {} });
  const expected = {
    [alice.deviceId]: { ...deviceKeys, unsigned: { device_display_name: "Alice's phone" } },
  };
  for (const wanted of [[], [alice.deviceId], [alice.deviceId, "UNKNOWN", alice.deviceId]]) {
    const answer = await query(bob, { [alice.userId]: wanted });
    t.equal(answer.status, 200);
    t.strictSame(answer.body["device_keys"], { [alice.userId]: expected });
    t.strictSame(answer.body["failures"], {});
  }
  const unknown = await query(bob, { [alice.userId]: ["UNKNOWN"], "@nobody:hearth.test": [] });
  t.strictSame(unknown.body["device_keys"], { [alice.userId]: {} }, "unknown users and devices are missing");
});

t.test("queryKeys: several devices of several users", async (t) => {
  const users = await Promise.all([registerUser(server), registerUser(server), registerUser(server)]);
  const [alice] = users;
  const clients = [...users, await login(server, alice)];
  const wanted = Object.fromEntries(users.map(({ userId }) => [userId, []]));
  const all = async () => {
    const { body } = await query(alice, wanted);
    const found = body["device_keys"] as Record<string, object>;
    return Object.entries(found).flatMap(([userId, devices]) =>
      Object.keys(devices).map((id) => userId + id),
    );
  };
  for (const client of clients) await upload(client, { device_keys: makeDevice(client).deviceKeys });
  t.strictSame(new Set(await all()), new Set(clients.map(({ userId, deviceId }) => userId + deviceId)));
  const second = clients[3];
  await second?.post(`${v3}/logout`, {});
  const left = clients.slice(0, 3).map(({ userId, deviceId }) => userId + deviceId);
  t.strictSame(new Set(await all()), new Set(left), "keys go with their device");
});

t.test("updateDevice: a new name is told with the keys", async (t) => {
  const alice = await registerUser(server);
  await upload(alice, { device_keys: makeDevice(alice).deviceKeys });
  await query(alice, { [alice.userId]: [] });
  await alice.put(`${v3}/devices/${alice.deviceId}`, { display_name: "renamed" });
  const { body } = await query(alice, { [alice.userId]: [] });
  t.match(body["device_keys"], {
    [alice.userId]: { [alice.deviceId]: { unsigned: { device_display_name: "renamed" } } },
  });
});

t.test("queryKeys: what is wrong with a request, and servers that cannot be reached", async (t) => {
  const alice = await registerUser(server);
  refused(t, await query(alice, { nonsense: [] }), "M_INVALID_PARAM");
  refused(t, await query(alice, { [alice.userId]: "all" }), "M_BAD_JSON");
  refused(t, await query(alice, undefined), "M_BAD_JSON");
  const tooMany = Object.fromEntries(Array.from({ length: 10_001 }, (_, index) => [`@${index}:x`, []]));
  refused(t, await query(alice, tooMany), "M_TOO_LARGE", 413);
  refused(t, await query(anonymous(server), {}), "M_MISSING_TOKEN", 401);
  const answer = await query(alice, { "@bob:elsewhere.test": [], [alice.userId]: [] });
  t.equal(answer.status, 200);
  t.strictSame(Object.keys(answer.body["failures"] as object), ["elsewhere.test"]);
  t.strictSame(answer.body["device_keys"], { [alice.userId]: {} });
});

t.test("uploadKeys: keys of another user or device are refused", async (t) => {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  const { deviceKeys } = makeDevice(alice);
  const asOther = { ...deviceKeys, user_id: bob.userId };
  refused(t, await upload(alice, { device_keys: asOther }), "M_BAD_JSON");
  refused(t, await upload(alice, { device_keys: { ...deviceKeys, device_id: "OTHER" } }), "M_BAD_JSON");
  refused(t, await upload(alice, { device_keys: { ...deviceKeys, keys: undefined } }), "M_BAD_JSON");
  refused(t, await upload(alice, { device_keys: { ...deviceKeys, algorithms: "all" } }), "M_BAD_JSON");
  refused(t, await upload(alice, { device_keys: { ...deviceKeys, keys: { "ed25519:A": 1 } } }), "M_BAD_JSON");
  const big = { ...deviceKeys, padding: "x".repeat(17 * 1024) };
  refused(t, await upload(alice, { device_keys: big }), "M_TOO_LARGE", 413);
  refused(t, await upload(anonymous(server), {}), "M_MISSING_TOKEN", 401);
  t.strictSame((await query(bob, { [alice.userId]: [] })).body["device_keys"], { [alice.userId]: {} });
});

t.test("uploadKeys: signatures of others are not kept, odd names do no harm", async (t) => {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  const { deviceKeys } = makeDevice(alice);
  const odd = JSON.parse('{"__proto__":{"x":1}}') as object;
  const text = `{"device_keys":${JSON.stringify({
    ...deviceKeys,
    signatures: { ...deviceKeys.signatures, [bob.userId]: { "ed25519:x": "forged" } },
  }).slice(0, -1)},"__proto__":${JSON.stringify(odd)}}}`;
  const response = await fetch(`${server.url}${v3}/keys/upload`, {
    method: "POST",
    headers: { Authorization: `Bearer ${alice.accessToken}` },
    body: text,
  });
  t.equal(response.status, 200);
  const { body } = await query(bob, { [alice.userId]: [] });
  const stored = (body["device_keys"] as Record<string, Record<string, Record<string, unknown>>>)[
    alice.userId
  ];
  t.strictSame(stored?.[alice.deviceId]?.["signatures"], deviceKeys.signatures);
  t.ok(JSON.stringify(body).includes('"__proto__"'), "what was signed is there as a whole");
});

t.test("uploadKeys, claimKeys: one-time keys are given out once, then the fallback key", async (t) => {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  const device = makeDevice(alice);
  const first = device.oneTimeKey();
  const second = device.oneTimeKey();
  const fallback = device.oneTimeKey(true);
  const counted = await upload(alice, {
    device_keys: device.deviceKeys,
    one_time_keys: { "signed_curve25519:B": first, "curve25519:P": "plain" },
    fallback_keys: { "signed_curve25519:F": fallback },
  });
  t.strictSame(counted.body, { one_time_key_counts: { signed_curve25519: 1, curve25519: 1 } });
  await upload(alice, { one_time_keys: { "signed_curve25519:A": second } });
  const wanted = { [alice.userId]: { [alice.deviceId]: "signed_curve25519", UNKNOWN: "signed_curve25519" } };
  const expectKey = async (expected: object) => {
    const answer = await claim(bob, wanted);
    t.strictSame(answer.body, {
      one_time_keys: { [alice.userId]: { [alice.deviceId]: expected } },
      failures: {},
    });
  };
  await expectKey({ "signed_curve25519:B": first });
  await expectKey({ "signed_curve25519:A": second });
  await expectKey({ "signed_curve25519:F": fallback });
  await expectKey({ "signed_curve25519:F": fallback });
  const plain = await claim(bob, { [alice.userId]: { [alice.deviceId]: "curve25519" } });
  t.match(plain.body, {
    one_time_keys: { [alice.userId]: { [alice.deviceId]: { "curve25519:P": "plain" } } },
  });
  const none = await claim(bob, {
    [alice.userId]: { [alice.deviceId]: "curve25519" },
    "@x:hearth.test": { A: "b" },
  });
  t.strictSame(none.body, { one_time_keys: {}, failures: {} });
});

t.test("claimKeys: many at once get different keys", async (t) => {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  const device = makeDevice(alice);
  const names = Array.from({ length: 50 }, (_, index) => `signed_curve25519:${index}`);
  await upload(alice, {
    one_time_keys: Object.fromEntries(names.map((name) => [name, device.oneTimeKey()])),
  });
  const wanted = { [alice.userId]: { [alice.deviceId]: "signed_curve25519" } };
  const answers = await Promise.all(names.map(() => claim(bob, wanted)));
  const given = answers.map(({ body }) => {
    const keys = body["one_time_keys"] as Record<string, Record<string, object>>;
    return Object.keys(keys[alice.userId]?.[alice.deviceId] ?? {})[0];
  });
  t.strictSame(new Set(given), new Set(names));
});

t.test("claimKeys: what is wrong with a request, and servers that cannot be reached", async (t) => {
  const alice = await registerUser(server);
  refused(t, await claim(alice, { nonsense: {} }), "M_INVALID_PARAM");
  refused(t, await claim(alice, { [alice.userId]: { A: 1 } }), "M_BAD_JSON");
  refused(t, await claim(alice, undefined), "M_BAD_JSON");
  refused(t, await claim(anonymous(server), {}), "M_MISSING_TOKEN", 401);
  const answer = await claim(alice, { "@bob:elsewhere.test": { A: "signed_curve25519" } });
  t.strictSame(answer.body["one_time_keys"], {});
  t.strictSame(Object.keys(answer.body["failures"] as object), ["elsewhere.test"]);
});

t.test("uploadKeys: a repeated one-time key is no matter, another one with its ID is refused", async (t) => {
  const alice = await registerUser(server);
  const device = makeDevice(alice);
  const keys = { "signed_curve25519:A": device.oneTimeKey(), "signed_curve25519:B": device.oneTimeKey() };
  const counts = { one_time_key_counts: { signed_curve25519: 2 } };
  t.strictSame((await upload(alice, { one_time_keys: keys })).body, counts);
  t.strictSame((await upload(alice, { one_time_keys: keys })).body, counts);
  const conflict = await upload(alice, {
    device_keys: device.deviceKeys,
    one_time_keys: { "signed_curve25519:C": device.oneTimeKey(), "signed_curve25519:A": device.oneTimeKey() },
  });
  refused(t, conflict, "M_UNKNOWN");
  t.match(conflict.body["error"], /^One time key signed_curve25519:A already exists\. Old key: /);
  t.strictSame((await upload(alice, {})).body, counts, "nothing of it is stored");
  const { body } = await query(alice, { [alice.userId]: [] });
  t.strictSame(body["device_keys"], { [alice.userId]: {} });
});

t.test("uploadKeys: bad one-time keys and too many of them are refused", async (t) => {
  const alice = await registerUser(server);
  const key = makeDevice(alice).oneTimeKey();
  const withKeys = (keys: object) => upload(alice, { one_time_keys: keys });
  refused(t, await withKeys({ nameless: key }), "M_INVALID_PARAM");
  refused(t, await withKeys({ "signed_curve25519:A": { key: "unsigned" } }), "M_BAD_JSON");
  refused(t, await withKeys({ "signed_curve25519:A": 1 }), "M_BAD_JSON");
  refused(t, await withKeys({ "curve25519:A": "x".repeat(9000) }), "M_TOO_LARGE", 413);
  const tooMany = Object.fromEntries(
    Array.from({ length: 1001 }, (_, index) => [`curve25519:${index}`, "x"]),
  );
  refused(t, await withKeys(tooMany), "M_TOO_LARGE", 413);
  const twoFallbacks = { fallback_keys: { "curve25519:A": "x", "curve25519:B": "y" } };
  refused(t, await upload(alice, twoFallbacks), "M_INVALID_PARAM");
  t.strictSame((await upload(alice, {})).body, { one_time_key_counts: {} });
});

t.test("uploadKeys: a device with a new identity starts afresh, and others are told", async (t) => {
  const alice = await registerUser(server);
  const old = makeDevice(alice);
  const oldKeys = { "signed_curve25519:A": old.oneTimeKey() };
  await upload(alice, { device_keys: old.deviceKeys, one_time_keys: oldKeys });
  const fresh = makeDevice(alice);
  const freshKeys = { "signed_curve25519:A": fresh.oneTimeKey() };
  const answer = await upload(alice, { device_keys: fresh.deviceKeys, one_time_keys: freshKeys });
  t.strictSame(answer.body, { one_time_key_counts: { signed_curve25519: 1 } });
  const { body } = await claim(alice, { [alice.userId]: { [alice.deviceId]: "signed_curve25519" } });
  t.strictSame(body["one_time_keys"], { [alice.userId]: { [alice.deviceId]: freshKeys } });
  t.match((await query(alice, { [alice.userId]: [] })).body["device_keys"], {
    [alice.userId]: { [alice.deviceId]: { keys: fresh.deviceKeys.keys } },
  });
});

t.test("uploadKeys: keys survive a restart", async (t) => {
  await using own = await startServer();
  const alice = await registerUser(own);
  const { deviceKeys } = makeDevice(alice);
  await upload(alice, { device_keys: deviceKeys, one_time_keys: { "curve25519:A": "x" } });
  await own.restart();
  t.strictSame((await upload(alice, {})).body, { one_time_key_counts: { curve25519: 1 } });
  t.match((await query(alice, { [alice.userId]: [] })).body["device_keys"], {
    [alice.userId]: { [alice.deviceId]: deviceKeys },
  });
});

async function createRoom(owner: TestClient, ...members: TestClient[]): Promise<string> {
  const { body } = await owner.post(`${v3}/createRoom`, { preset: "public_chat" });
  const roomId = String(body["room_id"]);
  for (const member of members) await member.post(`${v3}/join/${encodeURIComponent(roomId)}`, {});
  return roomId;
}

t.test("getKeysChanges: who shares a room and has new keys is changed, who has gone has left", async (t) => {
  const [alice, bob, carol] = await Promise.all([
    registerUser(server),
    registerUser(server),
    registerUser(server),
  ]);
  const roomId = await createRoom(alice, bob);
  await upload(bob, { device_keys: makeDevice(bob).deviceKeys });
  await upload(carol, { device_keys: makeDevice(carol).deviceKeys });
  const changes = (from: string) =>
    alice.get(`${v3}/keys/changes?from=${from}&to=s999999999`, "getKeysChanges");
  const before = await changes("s0");
  t.equal(before.status, 200);
  t.strictSame(before.body, { changed: [bob.userId], left: [] });
  await bob.post(`${v3}/rooms/${encodeURIComponent(roomId)}/leave`, {});
  t.strictSame((await changes("s0")).body, { changed: [], left: [bob.userId] });
  t.strictSame((await changes("s999999998")).body, { changed: [], left: [] });
});

t.test("getKeysChanges: bad tokens and missing ones are refused", async (t) => {
  const alice = await registerUser(server);
  const get = (search: string) => alice.get(`${v3}/keys/changes?${search}`, "getKeysChanges");
  refused(t, await get("from=nonsense&to=s1"), "M_INVALID_PARAM");
  refused(t, await get("from=s1&to=nonsense"), "M_INVALID_PARAM");
  refused(t, await get("from=s1"), "M_MISSING_PARAM");
  refused(t, await get("to=s1"), "M_MISSING_PARAM");
  refused(t, await anonymous(server).get(`${v3}/keys/changes?from=s1&to=s1`), "M_MISSING_TOKEN", 401);
});
