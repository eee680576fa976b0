import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { makeCrossSigning, makeDevice } from "../support/keys.ts";
import { startServer } from "../support/server.ts";

const v3 = "/_matrix/client/v3";
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

type Json = Record<string, unknown>;

async function sync(client: TestClient, since = "", timeoutMs = 0): Promise<Json & { since: string }> {
  const query = `timeout=${timeoutMs}${since && `&since=${since}`}`;
  const { status, body } = await client.get(`${v3}/sync?${query}`, "sync");
  if (status !== 200) throw new Error(`sync answered ${status} ${JSON.stringify(body)}`);
  return { ...body, since: String(body["next_batch"]) };
}

async function createRoom(owner: TestClient, ...members: TestClient[]): Promise<string> {
  const { body } = await owner.post(`${v3}/createRoom`, { preset: "public_chat" });
  const room = encodeURIComponent(String(body["room_id"]));
  for (const member of members) await member.post(`${v3}/join/${room}`, {});
  return room;
}

function uploadKeys(client: TestClient, body: unknown = { device_keys: makeDevice(client).deviceKeys }) {
  return client.post(`${v3}/keys/upload`, body);
}

async function threeUsers(): Promise<[TestClient, TestClient, TestClient]> {
  return [await registerUser(server), await registerUser(server), await registerUser(server)];
}

t.test("sync: device_lists.changed has who shares a room and has new keys, and oneself", async (t) => {
  const [alice, bob, carol] = await threeUsers();
  await createRoom(alice, bob);
  const first = await sync(alice);
  t.equal(first["device_lists"], undefined, "only with an incremental sync");
  await uploadKeys(carol);
  t.equal((await sync(alice, first.since))["device_lists"], undefined);
  const waiting = sync(alice, (await sync(alice, first.since)).since, 20_000);
  await uploadKeys(bob);
  const woken = await waiting;
  t.strictSame(woken["device_lists"], { changed: [bob.userId], left: [] });
  t.equal((await sync(alice, woken.since))["device_lists"], undefined, "once");
  await uploadKeys(alice);
  const own = await sync(alice, woken.since);
  t.strictSame(own["device_lists"], { changed: [alice.userId], left: [] });
});

t.test("sync: a device that goes and cross-signing keys are changes too", async (t) => {
  const [alice, bob] = await threeUsers();
  await createRoom(alice, bob);
  await uploadKeys(bob);
  let { since } = await sync(alice);
  const changes = async (): Promise<unknown> => {
    const next = await sync(alice, since);
    ({ since } = next);
    return next["device_lists"];
  };
  const changed = { changed: [bob.userId], left: [] };
  const crossSigning = makeCrossSigning(bob);
  await bob.post(`${v3}/keys/device_signing/upload`, crossSigning.body);
  t.strictSame(await changes(), changed);
  await bob.post(`${v3}/keys/device_signing/upload`, crossSigning.body);
  t.equal(await changes(), undefined, "the same keys again");
  await bob.post(`${v3}/logout`, {});
  t.strictSame(await changes(), changed);
});

t.test("sync: who has signed another user's master key is told alone", async (t) => {
  const [alice, bob, carol] = await threeUsers();
  await createRoom(alice, bob, carol);
  const alices = makeCrossSigning(alice);
  const bobs = makeCrossSigning(bob);
  await alice.post(`${v3}/keys/device_signing/upload`, alices.body);
  await bob.post(`${v3}/keys/device_signing/upload`, bobs.body);
  const before = await Promise.all([sync(alice), sync(bob), sync(carol)]);
  const signed = alices.userSigning.signed(bobs.body.master_key, alice.userId);
  await alice.post(`${v3}/keys/signatures/upload`, { [bob.userId]: { [bobs.master.publicKey]: signed } });
  const after = [alice, bob, carol].map((client, index) => sync(client, before[index]?.since));
  const lists = (await Promise.all(after)).map((answer) => answer["device_lists"]);
  t.strictSame(lists, [{ changed: [bob.userId], left: [] }, undefined, undefined]);
});

t.test("sync: who comes to share a room is changed, who shares none any more has left", async (t) => {
  const [alice, bob, carol] = await threeUsers();
  const room = await createRoom(alice, carol);
  const other = await createRoom(alice, carol);
  const { since } = await sync(alice);
  await bob.post(`${v3}/join/${room}`, {});
  const joined = await sync(alice, since);
  t.strictSame(joined["device_lists"], { changed: [bob.userId], left: [] });
  await bob.post(`${v3}/rooms/${room}/leave`, {});
  await carol.post(`${v3}/rooms/${room}/leave`, {});
  const left = await sync(alice, joined.since);
  t.strictSame(left["device_lists"], { changed: [], left: [bob.userId] }, "carol is in another room");
  await alice.post(`${v3}/rooms/${other}/leave`, {});
  const alone = await sync(alice, left.since);
  t.strictSame(alone["device_lists"], { changed: [], left: [carol.userId] });
});

t.test("sync: counts of one-time keys and unused fallback keys follow uploads and claims", async (t) => {
  const [alice, bob] = await threeUsers();
  const device = makeDevice(alice);
  const counts = (answer: Json) => [
    answer["device_one_time_keys_count"],
    answer["device_unused_fallback_key_types"],
  ];
  const first = await sync(alice);
  t.match(counts(first), [{ signed_curve25519: 0 }, []]);
  await uploadKeys(alice, {
    one_time_keys: { "signed_curve25519:A": device.oneTimeKey(), "signed_curve25519:B": device.oneTimeKey() },
    fallback_keys: { "signed_curve25519:F": device.oneTimeKey(true) },
  });
  const uploaded = await sync(alice, first.since);
  t.match(counts(uploaded), [{ signed_curve25519: 2 }, ["signed_curve25519"]]);
  const claim = () =>
    bob.post(`${v3}/keys/claim`, {
      one_time_keys: { [alice.userId]: { [alice.deviceId]: "signed_curve25519" } },
    });
  const waiting = sync(alice, uploaded.since, 20_000);
  await claim();
  const woken = await waiting;
  t.match(counts(woken), [{ signed_curve25519: 1 }, ["signed_curve25519"]]);
  await claim();
  await claim();
  t.match(counts(await sync(alice, woken.since)), [{ signed_curve25519: 0 }, []]);
});
