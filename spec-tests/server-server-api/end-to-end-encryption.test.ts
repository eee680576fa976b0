import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { type FederatedServer } from "../support/federated-servers.ts";
import { federatedRoom, syncUntil } from "../support/federated-room.ts";
import { makeCrossSigning, makeDevice, TestKey } from "../support/keys.ts";
import { serverServerApi } from "../support/openapi.ts";
import { createRoom, type Json } from "../support/rooms.ts";
import { joinVia } from "../support/views.ts";
import { until } from "../support/within.ts";

const v3 = "/_matrix/client/v3";
const user = "/_matrix/federation/v1/user";
const { alice, bob, one, two, peer } = await federatedRoom(t);

async function upload(client: TestClient, body: Json): Promise<void> {
  const { status, body: answer } = await client.post(`${v3}/keys/upload`, body, "uploadKeys");
  if (status !== 200) throw new Error(`uploading keys was answered ${status}: ${JSON.stringify(answer)}`);
}

const query = (client: TestClient, deviceKeys: Json, timeout?: number) =>
  client.post(`${v3}/keys/query`, { device_keys: deviceKeys, ...(timeout && { timeout }) }, "queryKeys");
const claim = (client: TestClient, oneTimeKeys: Json) =>
  client.post(`${v3}/keys/claim`, { one_time_keys: oneTimeKeys }, "claimKeys");
const devices = (userId: string, server: FederatedServer = one) =>
  peer.request(server, "GET", `${user}/devices/${encodeURIComponent(userId)}`);

/** A device of the peer's user, with keys that are signed. */
function peerDevice(deviceId: string, userId = peer.userId) {
  const device = makeDevice({ userId, deviceId });
  return { ...device, deviceId, told: { device_id: deviceId, keys: device.deviceKeys } };
}

const aliceDevice = makeDevice(alice);
const aliceIdentity = makeCrossSigning(alice);
await upload(alice, {
  device_keys: aliceDevice.deviceKeys,
  one_time_keys: { "signed_curve25519:one": aliceDevice.oneTimeKey() },
  fallback_keys: { "signed_curve25519:fallback": aliceDevice.oneTimeKey(true) },
});
await alice.post(`${v3}/keys/device_signing/upload`, aliceIdentity.body, "uploadCrossSigningKeys");

t.test("getUserDevices, queryUserEncryptionKeys: a peer reads keys, but no user-signing key", async (t) => {
  const list = await devices(alice.userId);
  t.equal(list.status, 200);
  serverServerApi?.assertResponse("getUserDevices", list.status, list.body);
  t.match(list.body, {
    user_id: alice.userId,
    stream_id: Number,
    devices: [{ device_id: alice.deviceId, keys: aliceDevice.deviceKeys }],
    master_key: aliceIdentity.body.master_key,
    self_signing_key: aliceIdentity.body.self_signing_key,
  });
  t.notOk("user_signing_key" in list.body);
  const keys = await peer.request(one, "POST", `${user}/keys/query`, { device_keys: { [alice.userId]: [] } });
  serverServerApi?.assertResponse("queryUserEncryptionKeys", keys.status, keys.body);
  t.match(keys.body, {
    device_keys: { [alice.userId]: { [alice.deviceId]: aliceDevice.deviceKeys } },
    master_keys: { [alice.userId]: aliceIdentity.body.master_key },
    self_signing_keys: { [alice.userId]: aliceIdentity.body.self_signing_key },
  });
  t.notOk("user_signing_keys" in keys.body);
  const none = await peer.request(one, "POST", `${user}/keys/query`, {
    device_keys: { [alice.userId]: ["nothing"] },
  });
  t.strictSame((none.body["device_keys"] as Json)[alice.userId], {});
});

t.test("claimUserEncryptionKeys: each key once, then the fallback key", async (t) => {
  const wanted = { one_time_keys: { [alice.userId]: { [alice.deviceId]: "signed_curve25519" } } };
  const claimed = async () => {
    const { status, body } = await peer.request(one, "POST", `${user}/keys/claim`, wanted);
    serverServerApi?.assertResponse("claimUserEncryptionKeys", status, body);
    const ofUser = (body["one_time_keys"] as Record<string, Record<string, Json>>)[alice.userId];
    return Object.keys(ofUser?.[alice.deviceId] ?? {});
  };
  t.strictSame(await claimed(), ["signed_curve25519:one"]);
  t.strictSame(await claimed(), ["signed_curve25519:fallback"]);
  t.strictSame(await claimed(), ["signed_curve25519:fallback"]);
});

t.test(
  "getUserDevices, queryUserEncryptionKeys, claimUserEncryptionKeys: only of users who are here",
  async (t) => {
    const invalid = [
      await devices(bob.userId),
      await devices("nonsense"),
      await peer.request(one, "POST", `${user}/keys/query`, { device_keys: { [bob.userId]: [] } }),
      await peer.request(one, "POST", `${user}/keys/query`, { device_keys: { nonsense: [] } }),
      await peer.request(one, "POST", `${user}/keys/claim`, { one_time_keys: { [bob.userId]: { A: "a" } } }),
    ];
    for (const { status, body } of invalid) t.match([status, body["errcode"]], [400, "M_INVALID_PARAM"]);
    const wrongTypes = [
      await peer.request(one, "POST", `${user}/keys/query`, { device_keys: [] }),
      await peer.request(one, "POST", `${user}/keys/query`, {}),
      await peer.request(one, "POST", `${user}/keys/claim`, { one_time_keys: { [alice.userId]: ["A"] } }),
    ];
    for (const { status } of wrongTypes) t.equal(status, 400);
    const unknown = await devices(`@nobody:${one.name}`);
    t.match([unknown.status, unknown.body["errcode"]], [404, "M_NOT_FOUND"]);
    const many = Object.fromEntries(
      Array.from({ length: 10_001 }, (_, index) => [`@u${index}:${one.name}`, []]),
    );
    const tooMany = await peer.request(one, "POST", `${user}/keys/query`, { device_keys: many });
    t.equal(tooMany.status, 413);
  },
);

t.test("queryKeys, claimKeys: users of another server, who share a room or do not", async (t) => {
  const bobDevice = makeDevice(bob);
  await upload(bob, {
    device_keys: bobDevice.deviceKeys,
    one_time_keys: { "signed_curve25519:1": bobDevice.oneTimeKey() },
  });
  const carol = await registerUser(two, "carol");
  const carolDevice = makeDevice(carol);
  await upload(carol, { device_keys: carolDevice.deviceKeys });
  const { body } = await query(alice, { [bob.userId]: [], [carol.userId]: [], [`@nobody:${two.name}`]: [] });
  t.match(body, {
    device_keys: {
      [bob.userId]: { [bob.deviceId]: bobDevice.deviceKeys },
      [carol.userId]: { [carol.deviceId]: carolDevice.deviceKeys },
    },
    failures: {},
  });
  t.notOk(`@nobody:${two.name}` in (body["device_keys"] as Json));
  const some = await query(alice, { [bob.userId]: ["nothing"] });
  t.strictSame((some.body["device_keys"] as Json)[bob.userId], {});
  const claimed = await claim(alice, { [bob.userId]: { [bob.deviceId]: "signed_curve25519", X: "a" } });
  t.match(claimed.body, {
    one_time_keys: { [bob.userId]: { [bob.deviceId]: { "signed_curve25519:1": { key: String } } } },
    failures: {},
  });
  const again = await claim(alice, { [bob.userId]: { [bob.deviceId]: "signed_curve25519" } });
  t.strictSame(again.body, { one_time_keys: {}, failures: {} });
});

t.test("queryKeys: changes of another server's user are heard of, and found", async (t) => {
  const { nextBatch: since } = await syncUntil(alice, () => true);
  const identity = makeCrossSigning(bob);
  await bob.post(`${v3}/keys/device_signing/upload`, identity.body, "uploadCrossSigningKeys");
  const isTold = ({ body }: { body: Json }) =>
    ((body["device_lists"] as { changed?: string[] } | undefined)?.changed ?? []).includes(bob.userId);
  await syncUntil(alice, isTold, { since });
  await until(20_000, "Bob's master key", async () => {
    const { body } = await query(alice, { [bob.userId]: [] });
    return bob.userId in (body["master_keys"] as Json);
  });
  const { body } = await query(alice, { [bob.userId]: [] });
  t.match(body["self_signing_keys"], { [bob.userId]: identity.body.self_signing_key });
  t.notOk(bob.userId in (body["user_signing_keys"] as Json));
});

t.test("uploadCrossSigningSignatures: a user of another server is verified", async (t) => {
  const { body } = await query(alice, { [bob.userId]: [] });
  const master = (body["master_keys"] as Record<string, Json>)[bob.userId] as Json;
  const [keyId = ""] = Object.values(master["keys"] as Record<string, string>);
  const signed = aliceIdentity.userSigning.signed(master, alice.userId);
  const answer = await alice.post(
    `${v3}/keys/signatures/upload`,
    { [bob.userId]: { [keyId]: signed } },
    "uploadCrossSigningSignatures",
  );
  t.strictSame(answer.body, { failures: {} });
  const after = await query(alice, { [bob.userId]: [] });
  const seen = (after.body["master_keys"] as Record<string, Json>)[bob.userId];
  t.ok(alice.userId in ((seen?.["signatures"] ?? {}) as Json), "Alice sees her own signature");
});

t.test("queryKeys: what a peer tells is checked", async (t) => {
  const good = peerDevice("GOOD");
  const master = new TestKey();
  const selfSigning = new TestKey();
  const key = (usage: string, { publicKey }: TestKey, userId = peer.userId) => ({
    user_id: userId,
    usage: [usage],
    keys: { [`ed25519:${publicKey}`]: publicKey },
  });
  const list = {
    user_id: peer.userId,
    stream_id: 7,
    devices: [
      { ...good.told, device_display_name: "A phone" },
      { device_id: "STOLEN", keys: { ...good.deviceKeys } },
      { device_id: "FOREIGN", keys: makeDevice({ userId: bob.userId, deviceId: "FOREIGN" }).deviceKeys },
      { device_id: "BARE" },
      { device_id: 5, keys: {} },
      { device_id: "LARGE", keys: { ...peerDevice("LARGE").deviceKeys, extra: "x".repeat(20_000) } },
      "nonsense",
      null,
    ],
    master_key: key("master", master),
    // Nobody has signed it.
    self_signing_key: key("self_signing", selfSigning),
  };
  peer.answers.set(`${user}/devices/`, () => ({ status: 200, body: list }));
  t.teardown(() => peer.answers.delete(`${user}/devices/`));
  const { body } = await query(alice, { [peer.userId]: [] });
  const told = (body["device_keys"] as Record<string, Json>)[peer.userId] ?? {};
  t.strictSame(Object.keys(told), ["GOOD"]);
  t.match(told["GOOD"], { ...good.deviceKeys, unsigned: { device_display_name: "A phone" } });
  t.match(body["master_keys"], { [peer.userId]: key("master", master) });
  t.notOk(peer.userId in (body["self_signing_keys"] as Json));
  const asked = peer.uris.length;
  await query(alice, { [peer.userId]: [] });
  t.equal(peer.uris.length, asked, "the list is followed: nobody asks again");
});

t.test("queryKeys, claimKeys: a peer that answers nonsense, or too slowly, delays nobody", async (t) => {
  const stranger = `@stranger:${peer.name}`;
  const foreign = peerDevice("D", bob.userId);
  peer.answers.set(`${user}/keys/query`, () => ({
    status: 200,
    body: {
      device_keys: {
        [stranger]: { D: foreign.deviceKeys, E: 5, __proto__: { user_id: stranger } },
        [alice.userId]: { X: foreign.deviceKeys },
      },
      master_keys: { [stranger]: [] },
    },
  }));
  const nonsense = await query(alice, { [stranger]: [] });
  t.strictSame(nonsense.body["device_keys"], {});
  const good = { key: "k", signatures: { [stranger]: { "ed25519:C": "s" } } };
  peer.answers.set(`${user}/keys/claim`, () => ({
    status: 200,
    body: {
      one_time_keys: {
        [stranger]: {
          A: { "other_algorithm:1": "key" },
          B: "text",
          C: { "a:1": good },
          D: { "a:2": { key: "k" } },
        },
        [bob.userId]: { Z: { "a:1": "key" } },
      },
    },
  }));
  const claimed = await claim(alice, { [stranger]: { A: "a", B: "a", C: "a", D: "a" } });
  t.strictSame(claimed.body["one_time_keys"], { [stranger]: { C: { "a:1": good } } });
  const late = Promise.withResolvers<{ status: number; body: Json }>();
  peer.answers.set(`${user}/keys/query`, () => late.promise);
  const slow = await query(alice, { [stranger]: [], [bob.userId]: [] }, 200);
  late.resolve({ status: 200, body: {} });
  t.strictSame(Object.keys(slow.body["failures"] as Json), [peer.name]);
  t.ok(bob.userId in (slow.body["device_keys"] as Json), "others are answered for");
  peer.answers.delete(`${user}/keys/query`);
  peer.answers.delete(`${user}/keys/claim`);
});

t.test("queryKeys: a server that is gone fails alone", async (t) => {
  const { body } = await query(alice, { "@a:127.0.0.1:1": [], [bob.userId]: [] });
  t.strictSame(Object.keys(body["failures"] as Json), ["127.0.0.1:1"]);
  t.ok(bob.userId in (body["device_keys"] as Json));
  const claimed = await claim(alice, { "@a:127.0.0.1:1": { A: "signed_curve25519" } });
  t.strictSame(Object.keys(claimed.body["failures"] as Json), ["127.0.0.1:1"]);
});

t.test("queryKeys: who shares no room any more is not answered for from memory", async (t) => {
  const dora = await registerUser(two, "dora");
  const room = await createRoom(alice, { room_version: "11" });
  await joinVia(dora, room, one.name);
  const before = makeDevice(dora);
  await upload(dora, { device_keys: before.deviceKeys });
  await until(20_000, "Dora's first keys", async () =>
    JSON.stringify((await query(alice, { [dora.userId]: [] })).body).includes(before.key.publicKey),
  );
  const { nextBatch: since } = await syncUntil(alice, () => true);
  await dora.post(`${v3}/rooms/${encodeURIComponent(room)}/leave`, {});
  await syncUntil(alice, ({ body }) => JSON.stringify(body["device_lists"] ?? {}).includes(dora.userId), {
    since,
  });
  const after = makeDevice(dora);
  await upload(dora, { device_keys: after.deviceKeys });
  const { body } = await query(alice, { [dora.userId]: [] });
  t.match(body["device_keys"], { [dora.userId]: { [dora.deviceId]: after.deviceKeys } });
});
