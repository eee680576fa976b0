import { randomBytes } from "node:crypto";
import t, { type Test } from "tap";
import {
  anonymous,
  login,
  passwordAuth,
  registerGuest,
  registerUser,
  type TestAnswer,
  TestClient,
} from "../support/client.ts";
import { makeDevice } from "../support/keys.ts";
import { startServer } from "../support/server.ts";

const v3 = "/_matrix/client/v3";
const path = "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device";
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

interface Dehydrated {
  readonly deviceId: string;
  readonly body: Record<string, unknown> & { device_keys: Record<string, unknown> };
}

/** A device as clients make it; its ID is a Base64 key with all the characters that such keys may have. */
function dehydrate(user: TestClient): Dehydrated {
  const deviceId = `+/${randomBytes(30).toString("base64").replaceAll("=", "")}`;
  const device = makeDevice(new TestClient(server, { userId: user.userId, deviceId, accessToken: "" }));
  return {
    deviceId,
    body: {
      device_id: deviceId,
      device_data: {
        algorithm: "m.dehydration.v2",
        device_pickle: "c2VjcmV0",
        nonce: "bm9uY2U",
        n: { é: 1 },
      },
      initial_device_display_name: "Sleeping",
      device_keys: { ...device.deviceKeys, dehydrated: true },
      one_time_keys: { "signed_curve25519:1": device.oneTimeKey() },
      fallback_keys: { "signed_curve25519:f": device.oneTimeKey(true) },
    },
  };
}

async function put(user: TestClient, device = dehydrate(user)): Promise<Dehydrated> {
  const answer = await user.put(path, device.body);
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return device;
}

let transactions = 0;

async function send(sender: TestClient, { userId }: TestClient, deviceId: string, n: number): Promise<void> {
  transactions += 1;
  const messages = { [userId]: { [deviceId]: { n } } };
  await sender.put(`${v3}/sendToDevice/m.test/${transactions}`, { messages }, "sendToDevice");
}

function eventsPath(deviceId: string): string {
  return `${path}/${encodeURIComponent(deviceId)}/events`;
}

function numbers({ body }: TestAnswer): number[] {
  return (body["events"] as { content: { n: number } }[]).map(({ content }) => content.n);
}

function refused(t: Test, answer: TestAnswer, status: number, errcode: string): void {
  t.equal(answer.status, status, JSON.stringify(answer.body));
  t.equal(answer.body["errcode"], errcode, JSON.stringify(answer.body));
}

async function deviceIds(user: TestClient): Promise<string[]> {
  const { body } = await user.get(`${v3}/devices`, "getDevices");
  return (body["devices"] as { device_id: string }[]).map(({ device_id: id }) => id);
}

async function publishedDevices(asker: TestClient, { userId }: TestClient): Promise<string[]> {
  const answer = await asker.post(`${v3}/keys/query`, { device_keys: { [userId]: [] } }, "queryKeys");
  return Object.keys((answer.body["device_keys"] as Record<string, object>)[userId] ?? {});
}

t.test("getDehydratedDevice: clients know by M_NOT_FOUND that there could be one", async (t) => {
  const alice = await registerUser(server);
  refused(t, await alice.get(path), 404, "M_NOT_FOUND");
  refused(t, await alice.delete(path), 404, "M_NOT_FOUND");
  refused(t, await alice.get(eventsPath("X")), 404, "M_NOT_FOUND");
  refused(t, await anonymous(server).get(path), 401, "M_MISSING_TOKEN");
  refused(t, await (await registerGuest(server)).get(path), 403, "M_GUEST_ACCESS_FORBIDDEN");
});

t.test(
  "putDehydratedDevice, getDehydratedDevice, queryKeys, claimKeys: a device with its keys",
  async (t) => {
    const [alice, bob] = [await registerUser(server), await registerUser(server)];
    const { deviceId, body } = dehydrate(alice);
    const answer = await alice.put(path, body);
    t.strictSame([answer.status, answer.body], [200, { device_id: deviceId }]);
    const kept = await alice.get(path);
    t.strictSame(kept.body, { device_id: deviceId, device_data: body["device_data"] });
    refused(t, await bob.get(path), 404, "M_NOT_FOUND");

    const query = await bob.post(`${v3}/keys/query`, { device_keys: { [alice.userId]: [] } }, "queryKeys");
    const keys = query.body["device_keys"] as Record<string, Record<string, object>>;
    t.strictSame(keys[alice.userId]?.[deviceId], {
      ...body.device_keys,
      unsigned: { device_display_name: "Sleeping" },
    });
    const wanted = { one_time_keys: { [alice.userId]: { [deviceId]: "signed_curve25519" } } };
    const claims = [];
    for (let i = 0; i < 3; i += 1) {
      const claimed = await bob.post(`${v3}/keys/claim`, wanted, "claimKeys");
      const byUser = claimed.body["one_time_keys"] as Record<string, Record<string, object>>;
      claims.push(...Object.keys(byUser[alice.userId]?.[deviceId] ?? {}));
    }
    t.strictSame(claims, ["signed_curve25519:1", "signed_curve25519:f", "signed_curve25519:f"]);
  },
);

t.test(
  "putDehydratedDevice, getDevices, sync: the next device takes the place of the one before",
  async (t) => {
    const [alice, bob] = [await registerUser(server), await registerUser(server)];
    const room = await alice.post(`${v3}/createRoom`, { preset: "public_chat" }, "createRoom");
    await bob.post(`${v3}/join/${String(room.body["room_id"])}`, {}, "joinRoom");
    const { body: start } = await bob.get(`${v3}/sync?timeout=0`, "sync");
    const first = await put(alice);
    await send(bob, alice, first.deviceId, 1);
    const { body: told } = await bob.get(`${v3}/sync?timeout=0&since=${String(start["next_batch"])}`, "sync");
    t.match(told, { device_lists: { changed: [alice.userId] } });

    const second = await put(alice);
    t.strictSame((await deviceIds(alice)).toSorted(), [alice.deviceId, second.deviceId].toSorted());
    t.strictSame(await publishedDevices(bob, alice), [second.deviceId]);
    refused(t, await alice.get(eventsPath(first.deviceId)), 403, "M_FORBIDDEN");
    t.strictSame(numbers(await alice.get(eventsPath(second.deviceId))), []);
    const { body: later } = await bob.get(`${v3}/sync?timeout=0&since=${String(told["next_batch"])}`, "sync");
    t.match(later, { device_lists: { changed: [alice.userId] } });
  },
);

t.test("putDehydratedDevice: the same device again keeps what waits for it", async (t) => {
  const [alice, bob] = [await registerUser(server), await registerUser(server)];
  const device = await put(alice);
  await send(bob, alice, device.deviceId, 1);
  await put(alice, { ...device, body: { ...device.body, device_data: { algorithm: "m.other" } } });
  t.strictSame(numbers(await alice.get(eventsPath(device.deviceId))), [1]);
  t.strictSame((await alice.get(path)).body["device_data"], { algorithm: "m.other" });
  const other = makeDevice(alice).oneTimeKey();
  const conflict = {
    ...device.body,
    device_data: { algorithm: "x" },
    one_time_keys: { "signed_curve25519:1": other },
  };
  refused(t, await alice.put(path, conflict), 400, "M_UNKNOWN");
  t.strictSame((await alice.get(path)).body["device_data"], { algorithm: "m.other" }, "nothing has changed");
});

t.test("getDehydratedDeviceEvents: pages, which stay until the device goes", async (t) => {
  const [alice, bob] = [await registerUser(server), await registerUser(server)];
  const { deviceId } = await put(alice);
  for (let n = 0; n < 100; n += 1) await send(bob, alice, deviceId, n);
  const whole = await alice.get(eventsPath(deviceId));
  t.equal(numbers(whole).length, 100);
  t.notOk("next_batch" in whole.body, "there is no more");
  await send(bob, alice, "*", 100);
  for (const attempt of ["the first time", "after the client was lost"]) {
    const first = await alice.get(eventsPath(deviceId));
    t.strictSame(
      numbers(first),
      Array.from({ length: 100 }, (_, n) => n),
      attempt,
    );
    t.match((first.body["events"] as object[])[0], { type: "m.test", sender: bob.userId });
    const second = await alice.get(`${eventsPath(deviceId)}?from=${String(first.body["next_batch"])}`);
    t.strictSame(numbers(second), [100], attempt);
    t.notOk("next_batch" in second.body, attempt);
  }
  const tablet = await login(server, alice);
  t.equal(numbers(await tablet.get(eventsPath(deviceId))).length, 100, "for any session of the user");
  refused(t, await bob.get(eventsPath(deviceId)), 404, "M_NOT_FOUND");
  refused(t, await alice.get(`${eventsPath(deviceId)}?from=nonsense`), 400, "M_INVALID_PARAM");
});

t.test("postDehydratedDeviceEvents: pages end with an empty one", async (t) => {
  const [alice, bob] = [await registerUser(server), await registerUser(server)];
  const { deviceId } = await put(alice);
  for (const n of [1, 2]) await send(bob, alice, deviceId, n);
  const first = await alice.post(eventsPath(deviceId), {});
  t.strictSame(numbers(first), [1, 2]);
  const { next_batch: nextBatch } = first.body;
  const second = await alice.post(eventsPath(deviceId), { next_batch: nextBatch });
  t.strictSame(second.body, { events: [], next_batch: nextBatch });
  await send(bob, alice, deviceId, 3);
  t.strictSame(numbers(await alice.post(eventsPath(deviceId), { next_batch: nextBatch })), [3]);
  refused(t, await alice.post(eventsPath(deviceId), { next_batch: "x" }), 400, "M_INVALID_PARAM");
  refused(t, await alice.post(eventsPath("other"), {}), 403, "M_FORBIDDEN");
});

t.test("deleteDehydratedDevice, deleteDevice, deleteDevices, logout_all: every way to end it", async (t) => {
  const alice = await registerUser(server);
  const ended = async (tellingHow: string, user = alice) => {
    refused(t, await user.get(path), 404, "M_NOT_FOUND");
    t.strictSame(await deviceIds(user), [user.deviceId], tellingHow);
    t.strictSame(await publishedDevices(user, user), [], tellingHow);
  };
  const { deviceId } = await put(alice);
  t.strictSame((await alice.delete(path)).body, { device_id: deviceId });
  await ended("deleteDehydratedDevice");

  const auth = passwordAuth(alice);
  const second = await put(alice);
  await alice.delete(`${v3}/devices/${encodeURIComponent(second.deviceId)}`, { auth }, "deleteDevice");
  await ended("deleteDevice");
  const third = await put(alice);
  await alice.post(`${v3}/delete_devices`, { auth, devices: [third.deviceId] }, "deleteDevices");
  await ended("deleteDevices");
  await put(alice);
  await alice.post(`${v3}/logout/all`, {}, "logout_all");
  await ended("logout_all", await login(server, alice));
});

t.test("logout: the device outlives the session that made it", async (t) => {
  const [alice, bob] = [await registerUser(server), await registerUser(server)];
  const { deviceId } = await put(alice);
  await alice.post(`${v3}/logout`, {}, "logout");
  await send(bob, alice, deviceId, 7);
  await server.restart();
  const phone = await login(server, alice);
  t.equal((await phone.get(path)).body["device_id"], deviceId);
  t.strictSame(numbers(await phone.get(eventsPath(deviceId))), [7]);
});

t.test("login: who logs in as the device has an ordinary one", async (t) => {
  const alice = await registerUser(server);
  const { deviceId } = await put(alice);
  const woken = await login(server, alice, { deviceId });
  refused(t, await woken.get(path), 404, "M_NOT_FOUND");
  await put(alice);
  t.equal((await woken.get(`${v3}/account/whoami`)).status, 200, "the next one does not end its session");
});

t.test("putDehydratedDevice: what cannot be one", async (t) => {
  const [alice, bob] = [await registerUser(server), await registerUser(server)];
  const { body } = await put(alice);
  const kept = (await alice.get(path)).body;
  const session = makeDevice(alice).deviceKeys;
  const bad: [object, string][] = [
    [{}, "M_BAD_JSON"],
    [{ ...body, device_id: 5 }, "M_BAD_JSON"],
    [{ ...body, device_data: { device_pickle: "x" } }, "M_BAD_JSON"],
    [{ ...body, device_data: "x" }, "M_BAD_JSON"],
    [{ ...body, device_keys: undefined }, "M_BAD_JSON"],
    [{ ...body, device_keys: dehydrate(bob).body.device_keys }, "M_BAD_JSON"],
    [{ ...body, device_id: "other" }, "M_BAD_JSON"],
    [{ ...body, device_id: "" }, "M_INVALID_PARAM"],
    [{ ...body, one_time_keys: { nonsense: "key" } }, "M_INVALID_PARAM"],
    [{ ...body, initial_device_display_name: "x".repeat(256) }, "M_INVALID_PARAM"],
    [{ ...body, device_id: alice.deviceId, device_keys: session }, "M_INVALID_PARAM"],
  ];
  for (const [wrong, errcode] of bad) refused(t, await alice.put(path, wrong), 400, errcode);
  const large = { ...body, device_data: { algorithm: "x", pickle: "x".repeat(70_000) } };
  refused(t, await alice.put(path, large), 413, "M_TOO_LARGE");
  const key = makeDevice(alice).oneTimeKey();
  const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [`signed_curve25519:k${i}`, key]));
  refused(t, await alice.put(path, { ...body, one_time_keys: many }), 413, "M_TOO_LARGE");
  t.strictSame((await alice.get(path)).body, kept);
});
