import t, { type Test } from "tap";
import {
  anonymous,
  login,
  registerUser,
  type TestAnswer,
  type TestClient,
  testPassword,
} from "../support/client.ts";
import { crossSigningKey, makeCrossSigning, makeDevice, TestKey } from "../support/keys.ts";
import { startServer } from "../support/server.ts";

const v3 = "/_matrix/client/v3";
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

type Json = Record<string, unknown>;

function upload(client: TestClient, body: unknown) {
  return client.post(`${v3}/keys/device_signing/upload`, body, "uploadCrossSigningKeys");
}

/** An upload that is answered with a demand for the password, which the description of the operation does not have. */
async function demanded(t: Test, client: TestClient, body: unknown): Promise<TestAnswer> {
  const answer = await client.post(`${v3}/keys/device_signing/upload`, body);
  t.equal(answer.status, 401, JSON.stringify(answer.body));
  t.match(answer.body, { flows: [{ stages: ["m.login.password"] }], session: String });
  return answer;
}

function sign(client: TestClient, body: unknown) {
  return client.post(`${v3}/keys/signatures/upload`, body, "uploadCrossSigningSignatures");
}

async function query(viewer: TestClient, { userId }: TestClient): Promise<Record<string, Json>> {
  const { body } = await viewer.post(`${v3}/keys/query`, { device_keys: { [userId]: [] } }, "queryKeys");
  const seen = Object.entries(body).map(([name, users]) => [name, (users as Record<string, Json>)[userId]]);
  return Object.fromEntries(seen) as Record<string, Json>;
}

function password({ userId }: TestClient, session?: unknown): Json {
  const auth = {
    type: "m.login.password",
    identifier: { type: "m.id.user", user: userId },
    password: testPassword,
  };
  return { auth: session === undefined ? auth : { ...auth, session } };
}

function refused(t: Test, answer: TestAnswer, errcode: string, status = 400): void {
  t.equal(answer.status, status, JSON.stringify(answer.body));
  t.equal(answer.body["errcode"], errcode, JSON.stringify(answer.body));
}

t.test(
  "uploadCrossSigningKeys, queryKeys: all see master and self-signing key, the owner the third",
  async (t) => {
    const alice = await registerUser(server);
    const bob = await registerUser(server);
    const { body } = makeCrossSigning(alice);
    t.strictSame((await upload(alice, body)).status, 200);
    const own = await query(alice, alice);
    t.strictSame(own["master_keys"], { ...body.master_key, signatures: {} });
    t.strictSame(own["self_signing_keys"], body.self_signing_key);
    t.strictSame(own["user_signing_keys"], body.user_signing_key);
    const bobs = await query(bob, alice);
    t.strictSame(bobs["master_keys"], { ...body.master_key, signatures: {} });
    t.strictSame(bobs["self_signing_keys"], body.self_signing_key);
    t.equal(bobs["user_signing_keys"], undefined);
  },
);

t.test("uploadCrossSigningKeys: changing keys takes the password, repeating them does not", async (t) => {
  const alice = await registerUser(server);
  const first = makeCrossSigning(alice);
  await upload(alice, first.body);
  t.equal((await upload(alice, first.body)).status, 200, "repeated");
  t.equal((await upload(alice, { master_key: first.body.master_key })).status, 200, "a part of it");
  const other = makeCrossSigning(alice, first.master);
  const onlyNew = { ...first.body, self_signing_key: other.body.self_signing_key };
  await demanded(t, alice, onlyNew);
  const repeated = { self_signing_key: first.body.self_signing_key };
  t.equal((await upload(alice, repeated)).status, 200, "a part of it that the stored master key has signed");
  const next = makeCrossSigning(alice);
  const { session } = (await demanded(t, alice, next.body)).body;
  t.strictSame((await query(alice, alice))["self_signing_keys"], first.body.self_signing_key);
  const wrong = { ...next.body, auth: { ...(password(alice, session)["auth"] as Json), password: "wrong" } };
  t.equal((await demanded(t, alice, wrong)).body["errcode"], "M_FORBIDDEN");
  t.equal((await upload(alice, { ...next.body, ...password(alice, session) })).status, 200);
  t.strictSame((await query(alice, alice))["self_signing_keys"], next.body.self_signing_key);
});

t.test("uploadCrossSigningKeys: a new master key alone leaves no keys that it has not signed", async (t) => {
  const alice = await registerUser(server);
  await upload(alice, makeCrossSigning(alice).body);
  const { master_key } = makeCrossSigning(alice).body;
  t.equal((await upload(alice, { master_key, ...password(alice) })).status, 200);
  const keys = await query(alice, alice);
  t.match(keys["master_keys"], master_key);
  t.equal(keys["self_signing_keys"], undefined);
  t.equal(keys["user_signing_keys"], undefined);
});

t.test("uploadCrossSigningKeys: keys that are wrong are refused", async (t) => {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  const { body, master } = makeCrossSigning(alice);
  const { master_key, self_signing_key, user_signing_key } = body;
  refused(t, await upload(alice, { self_signing_key }), "M_MISSING_PARAM");
  refused(t, await upload(alice, {}), "M_MISSING_PARAM");
  const unsigned = crossSigningKey(alice.userId, "self_signing", new TestKey());
  refused(t, await upload(alice, { master_key, self_signing_key: unsigned }), "M_INVALID_SIGNATURE");
  const byOther = new TestKey().signed(unsigned, alice.userId, `ed25519:${master.publicKey}`);
  refused(t, await upload(alice, { master_key, user_signing_key: byOther }), "M_INVALID_PARAM");
  refused(t, await upload(alice, { master_key, self_signing_key: byOther }), "M_INVALID_SIGNATURE");
  const ofBob = { ...master_key, user_id: bob.userId };
  refused(t, await upload(alice, { master_key: ofBob }), "M_INVALID_PARAM");
  refused(t, await upload(alice, { master_key: self_signing_key }), "M_INVALID_PARAM");
  const misnamed = { ...master_key, keys: { "ed25519:other": master.publicKey } };
  refused(t, await upload(alice, { master_key: misnamed }), "M_INVALID_PARAM");
  const noKey = { ...master_key, keys: { "ed25519:short": "short" } };
  refused(t, await upload(alice, { master_key: noKey }), "M_INVALID_PARAM");
  refused(t, await upload(alice, { master_key: { ...master_key, keys: {} } }), "M_BAD_JSON");
  refused(t, await upload(alice, { master_key: { ...master_key, usage: "master" } }), "M_BAD_JSON");
  refused(t, await upload(alice, { master_key: "key" }), "M_BAD_JSON");
  refused(t, await upload(anonymous(server), body), "M_MISSING_TOKEN", 401);
  t.equal((await query(alice, alice))["master_keys"], undefined, "nothing is stored");
  t.equal((await upload(alice, { master_key, self_signing_key, user_signing_key })).status, 200);
});

t.test("uploadCrossSigningKeys: no key may have the ID of a device", async (t) => {
  const key = new TestKey();
  const alice = await registerUser(server, undefined, { deviceId: key.publicKey });
  const master_key = crossSigningKey(alice.userId, "master", key);
  refused(t, await upload(alice, { master_key }), "M_FORBIDDEN", 403);
});

t.test(
  "uploadCrossSigningSignatures: own devices by the self-signing key, the master key by a device",
  async (t) => {
    const alice = await registerUser(server);
    const bob = await registerUser(server);
    const device = makeDevice(alice);
    const crossSigning = makeCrossSigning(alice);
    const { userId, deviceId } = alice;
    await alice.post(`${v3}/keys/upload`, { device_keys: device.deviceKeys });
    await upload(alice, crossSigning.body);
    const signedDevice = crossSigning.selfSigning.signed(device.deviceKeys, userId);
    const signedMaster = device.key.signed(crossSigning.body.master_key, userId, `ed25519:${deviceId}`);
    const master = crossSigning.master.publicKey;
    await query(bob, alice);
    const answer = await sign(alice, { [userId]: { [deviceId]: signedDevice, [master]: signedMaster } });
    t.strictSame(answer.body, { failures: {} });
    for (const viewer of [alice, bob]) {
      const keys = await query(viewer, alice);
      t.match(keys["device_keys"]?.[deviceId], signedDevice);
      t.strictSame(keys["master_keys"], signedMaster);
    }
  },
);

t.test("uploadCrossSigningSignatures: nobody but the signer sees a signature of another user", async (t) => {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  const carol = await registerUser(server);
  const alices = makeCrossSigning(alice);
  const bobs = makeCrossSigning(bob);
  await upload(alice, alices.body);
  await upload(bob, bobs.body);
  const signedBob = alices.userSigning.signed(bobs.body.master_key, alice.userId);
  await query(alice, bob);
  const answer = await sign(alice, { [bob.userId]: { [bobs.master.publicKey]: signedBob } });
  t.strictSame(answer.body, { failures: {} });
  t.strictSame((await query(alice, bob))["master_keys"], signedBob);
  for (const viewer of [bob, carol]) {
    t.strictSame((await query(viewer, bob))["master_keys"], { ...bobs.body.master_key, signatures: {} });
  }
  const device = makeDevice(bob);
  await bob.post(`${v3}/keys/upload`, { device_keys: device.deviceKeys });
  const byDevice = device.key.signed(bobs.body.master_key, bob.userId, `ed25519:${bob.deviceId}`);
  await sign(bob, { [bob.userId]: { [bobs.master.publicKey]: byDevice } });
  t.strictSame(
    (await query(alice, bob))["master_keys"],
    alices.userSigning.signed(byDevice, alice.userId),
    "beside the owner's signatures",
  );
  const next = makeCrossSigning(bob);
  await upload(bob, { ...next.body, ...password(bob) });
  t.strictSame((await query(alice, bob))["master_keys"], { ...next.body.master_key, signatures: {} });
});

t.test("uploadCrossSigningSignatures: each bad signature fails alone", async (t) => {
  const alice = await registerUser(server);
  const second = await login(server, alice);
  const bob = await registerUser(server);
  const { userId, deviceId } = alice;
  const device = makeDevice(alice);
  const secondDevice = makeDevice(second);
  const alices = makeCrossSigning(alice);
  const bobs = makeCrossSigning(bob);
  await alice.post(`${v3}/keys/upload`, { device_keys: device.deviceKeys });
  await second.post(`${v3}/keys/upload`, { device_keys: secondDevice.deviceKeys });
  await upload(alice, alices.body);
  await upload(bob, bobs.body);
  const good = alices.selfSigning.signed(secondDevice.deviceKeys, userId);
  const wrongKeyId = `ed25519:${alices.selfSigning.publicKey}`;
  const forgedMaster = new TestKey().signed(alices.body.master_key, userId, `ed25519:${deviceId}`);
  const { body } = await sign(alice, {
    [userId]: {
      [second.deviceId]: good,
      [deviceId]: new TestKey().signed(device.deviceKeys, userId, wrongKeyId),
      UNKNOWN: good,
      [alices.master.publicKey]: forgedMaster,
    },
    [bob.userId]: {
      [bobs.master.publicKey]: alices.selfSigning.signed(bobs.body.master_key, userId),
      [bobs.selfSigning.publicKey]: alices.userSigning.signed(bobs.body.self_signing_key, userId),
    },
    "@nobody:hearth.test": { KEY: good },
  });
  const failures = body["failures"] as Record<string, Record<string, Json>>;
  const errcodes = Object.entries(failures).flatMap(([user, keys]) =>
    Object.entries(keys).map(([key, { errcode }]) => `${user} ${key} ${String(errcode)}`),
  );
  t.strictSame(
    new Set(errcodes),
    new Set([
      `${userId} ${deviceId} M_INVALID_SIGNATURE`,
      `${userId} UNKNOWN M_NOT_FOUND`,
      `${userId} ${alices.master.publicKey} M_INVALID_SIGNATURE`,
      `${bob.userId} ${bobs.master.publicKey} M_INVALID_SIGNATURE`,
      `${bob.userId} ${bobs.selfSigning.publicKey} M_NOT_FOUND`,
      "@nobody:hearth.test KEY M_NOT_FOUND",
    ]),
  );
  const seen = await query(bob, alice);
  t.match(seen["device_keys"]?.[second.deviceId], good, "the good one is stored");
  t.match(seen["device_keys"]?.[deviceId], device.deviceKeys);
  t.notMatch(JSON.stringify(seen["device_keys"]?.[deviceId]), wrongKeyId);
  const other = { ...device.deviceKeys, algorithms: [] };
  const changed = await sign(alice, { [userId]: { [deviceId]: alices.selfSigning.signed(other, userId) } });
  t.match(changed.body, { failures: { [userId]: { [deviceId]: { errcode: "M_INVALID_SIGNATURE" } } } });
});

t.test("uploadCrossSigningSignatures: what is no map of keys is refused", async (t) => {
  const alice = await registerUser(server);
  refused(t, await sign(alice, { [alice.userId]: { A: "signed" } }), "M_BAD_JSON");
  refused(t, await sign(alice, { [alice.userId]: { A: {} } }), "M_BAD_JSON");
  const tooMany = Object.fromEntries(Array.from({ length: 201 }, (_, index) => [index, { signatures: {} }]));
  refused(t, await sign(alice, { [alice.userId]: tooMany }), "M_TOO_LARGE", 413);
  refused(t, await sign(anonymous(server), {}), "M_MISSING_TOKEN", 401);
});
