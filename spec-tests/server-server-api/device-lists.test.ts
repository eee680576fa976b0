import t from "tap";
import { login, registerUser, type TestClient } from "../support/client.ts";
import { federatedRoom, joinByPeer, syncUntil } from "../support/federated-room.ts";
import { makeCrossSigning, makeDevice } from "../support/keys.ts";
import { createRoom, type Json, leave, type SyncAnswer } from "../support/rooms.ts";
import { joinVia } from "../support/views.ts";
import { until } from "../support/within.ts";

const v3 = "/_matrix/client/v3";
const devicesUri = "/_matrix/federation/v1/user/devices/";
const sendUri = "/_matrix/federation/v1/send/";
const { alice, bob, one, two, peer, roomId } = await federatedRoom(t);

interface Update extends Json {
  readonly user_id: string;
  readonly device_id: string;
  readonly stream_id: number;
  readonly prev_id: number[];
}

/** What the peer has been told of a user's devices. */
const updatesOf = ({ userId }: { readonly userId: string }) =>
  (peer.edus("m.device_list_update") as Update[]).filter(({ user_id }) => user_id === userId);

async function uploadKeys(client: TestClient, device = makeDevice(client)): Promise<Json> {
  const body = { device_keys: device.deviceKeys };
  const { status } = await client.post(`${v3}/keys/upload`, body, "uploadKeys");
  if (status !== 200) throw new Error(`uploading keys was answered ${status}`);
  return device.deviceKeys;
}

async function streamIdOf({ userId }: TestClient): Promise<unknown> {
  const { body } = await peer.request(one, "GET", `${devicesUri}${encodeURIComponent(userId)}`);
  return body["stream_id"];
}

/** Waits until the peer has been told of everything that has happened to a user's devices. */
async function toldAll(client: TestClient): Promise<void> {
  const streamId = await streamIdOf(client);
  const isTold = () => updatesOf(client).some(({ stream_id }) => stream_id === streamId);
  await until(20_000, `the last change of ${client.userId}`, isTold);
}

const isChanged =
  (userId: string) =>
  ({ body }: SyncAnswer): boolean =>
    ((body["device_lists"] as { changed?: string[] } | undefined)?.changed ?? []).includes(userId);

/** The IDs of the devices of the peer's user, as Alice's server knows them. */
async function peerDevices(userId = peer.userId): Promise<string[]> {
  const { body } = await alice.post(`${v3}/keys/query`, { device_keys: { [userId]: [] } }, "queryKeys");
  return Object.keys((body["device_keys"] as Record<string, Json>)[userId] ?? {});
}

/** Keys as a client of the peer's would have made them; nobody here looks at the signature. */
const keysOf = (deviceId: string, userId = peer.userId): Json => ({
  user_id: userId,
  device_id: deviceId,
  algorithms: ["m.olm.v1.curve25519-aes-sha2"],
  keys: { [`ed25519:${deviceId}`]: "key" },
  signatures: { [userId]: { [`ed25519:${deviceId}`]: "signature" } },
});
const update = (deviceId: string, streamId: unknown, prevId?: unknown, changes: Json = {}) => ({
  edu_type: "m.device_list_update",
  content: {
    user_id: peer.userId,
    device_id: deviceId,
    stream_id: streamId,
    ...(prevId !== undefined && { prev_id: prevId }),
    keys: keysOf(deviceId),
    ...changes,
  },
});

/** What the peer answers to those who ask for its user's devices. */
let peerList = { streamId: 10, deviceIds: ["FIRST"] };
peer.answers.set(devicesUri, () => ({
  status: 200,
  body: {
    user_id: peer.userId,
    stream_id: peerList.streamId,
    devices: peerList.deviceIds.map((id) => ({ device_id: id, keys: keysOf(id) })),
  },
}));
const asked = () => peer.uris.filter((uri) => uri.startsWith(devicesUri)).length;

t.test("sendTransaction: each change of a device is told, and follows on the one before", async (t) => {
  const tablet = await login(one, "alice");
  const keys = await uploadKeys(tablet);
  await tablet.put(`${v3}/devices/${tablet.deviceId}`, { display_name: "Tablet" }, "updateDevice");
  const isNamed = () => updatesOf(alice).some(({ device_display_name: name }) => name === "Tablet");
  await until(20_000, "the name", isNamed);
  const named = updatesOf(alice).at(-1);
  t.match(named, { device_id: tablet.deviceId, keys, device_display_name: "Tablet" });
  t.equal(named?.stream_id, await streamIdOf(alice));
  await tablet.post(`${v3}/logout`, {}, "logout");
  await until(20_000, "the deletion", () => updatesOf(alice).some((each) => each["deleted"] === true));
  const deleted = updatesOf(alice).at(-1);
  t.match(deleted, { device_id: tablet.deviceId, prev_id: [named?.stream_id] });
  t.notOk(deleted && "keys" in deleted);
});

t.test("sendTransaction: cross-signing keys are told under both names of the type", async (t) => {
  const identity = makeCrossSigning(alice);
  await alice.post(`${v3}/keys/device_signing/upload`, identity.body, "uploadCrossSigningKeys");
  for (const type of ["m.signing_key_update", "org.matrix.signing_key_update"]) {
    await until(20_000, type, () => peer.edus(type).length > 0);
    const told = peer.edus(type).at(-1);
    t.match(told, {
      user_id: alice.userId,
      master_key: identity.body.master_key,
      self_signing_key: identity.body.self_signing_key,
    });
    t.notOk(told && "user_signing_key" in told);
  }
});

t.test("sendTransaction: a server that was away learns that it has missed something", async (t) => {
  await uploadKeys(alice);
  await toldAll(alice);
  const known = new Set(updatesOf(alice).map(({ stream_id }) => stream_id));
  let refused = 0;
  peer.answers.set(sendUri, () => {
    refused += 1;
    return { status: 502, body: {} };
  });
  const phone = await login(one, "alice");
  await uploadKeys(phone);
  await until(20_000, "a transaction to be refused", () => refused > 0);
  for (const name of ["A", "B", "C"]) {
    await phone.put(`${v3}/devices/${phone.deviceId}`, { display_name: name }, "updateDevice");
  }
  const before = updatesOf(alice).length;
  await one.restart();
  peer.answers.delete(sendUri);
  await peer.sendEdus(one);
  await until(20_000, "the last name", () =>
    updatesOf(alice)
      .slice(before)
      .some(({ device_display_name: name }) => name === "C"),
  );
  const [first] = updatesOf(alice).slice(before);
  t.notOk(
    first?.prev_id.some((id) => known.has(id)),
    "what came between is missing",
  );
  t.equal(updatesOf(alice).at(-1)?.stream_id, await streamIdOf(alice));
});

t.test("sendTransaction: who joins a room tells its servers of their devices, and nobody else", async (t) => {
  const dora = await registerUser(one, "dora");
  await uploadKeys(dora);
  const emil = await registerUser(one, "emil");
  await uploadKeys(alice);
  await toldAll(alice);
  t.strictSame([...updatesOf(dora), ...updatesOf(emil)], []);
  for (const client of [dora, emil]) await joinVia(client, roomId, one.name);
  await until(20_000, "Dora's and Emil's", () =>
    [dora, emil].every((client) => updatesOf(client).length > 0),
  );
  t.match(updatesOf(dora), [{ device_id: dora.deviceId, keys: { user_id: dora.userId } }]);
  t.match(updatesOf(emil), [{ device_id: emil.deviceId }]);
  t.notOk("keys" in (updatesOf(emil)[0] ?? {}), "a device without keys is one, too");
});

t.test("sync: who comes into a room has changed once, and again with a new device", async (t) => {
  const [fay, gus] = [await registerUser(one, "fay"), await registerUser(two, "gus")];
  const room = await createRoom(fay, { room_version: "11" });
  const { nextBatch: faySince } = await syncUntil(fay, () => true);
  const { nextBatch: gusSince } = await syncUntil(gus, () => true);
  await joinVia(gus, room, one.name);
  /** Everybody of whom a user is told until somebody is among them. */
  const toldUntil = async (client: TestClient, since: string, userId: string) => {
    const told: string[] = [];
    const { nextBatch } = await syncUntil(
      client,
      ({ body }) => {
        told.push(...((body["device_lists"] as { changed?: string[] } | undefined)?.changed ?? []));
        return told.includes(userId);
      },
      { since },
    );
    return { told, nextBatch };
  };
  const faySaw = await toldUntil(fay, faySince, gus.userId);
  t.strictSame(faySaw.told, [gus.userId]);
  const gusSaw = await toldUntil(gus, gusSince, fay.userId);
  t.strictSame(new Set(gusSaw.told), new Set([fay.userId, gus.userId]), "his other devices may want to know");
  await uploadKeys(await login(one, "fay"));
  t.strictSame((await toldUntil(fay, faySaw.nextBatch, fay.userId)).told, [fay.userId]);
  t.strictSame((await toldUntil(gus, gusSaw.nextBatch, fay.userId)).told, [fay.userId]);
});

t.test(
  "sendTransaction: updates of a peer are applied in order, and the whole list when one is missing",
  async (t) => {
    t.strictSame(await peerDevices(), ["FIRST"]);
    const before = asked();
    const { nextBatch: since } = await syncUntil(alice, () => true);
    await peer.sendEdus(
      one,
      update("SECOND", 11, [10]),
      update("THIRD", 12, [11], { device_display_name: "Three" }),
      update("FIRST", 13, [12], { deleted: true }),
      update("BARE", 14, [13], { keys: undefined }),
    );
    await syncUntil(alice, isChanged(peer.userId), { since });
    t.strictSame(await peerDevices(), ["SECOND", "THIRD"]);
    t.equal(asked(), before, "nobody had to ask");
    peerList = { streamId: 20, deviceIds: ["SECOND", "FOURTH"] };
    await peer.sendEdus(one, update("FOURTH", 20, [19]));
    await until(20_000, "the whole list", async () => (await peerDevices()).includes("FOURTH"));
    t.strictSame(await peerDevices(), ["FOURTH", "SECOND"]);
    const after = asked();
    await peer.sendEdus(one, update("FIFTH", 21, [20]));
    t.strictSame(await peerDevices(), ["FIFTH", "FOURTH", "SECOND"]);
    t.equal(asked(), after, "the list is followed from where it was");
  },
);

t.test("sendTransaction: stream IDs that go back, and updates that nobody can read", async (t) => {
  const numbers: [unknown, unknown][] = [
    [5, [4]],
    [6, []],
    [7, undefined],
    [8, "text"],
    ["9", [8]],
    [-1, [9]],
    [1.5, [-1]],
    [22, [21, 20]],
  ];
  for (const [index, [streamId, prevId]] of numbers.entries()) {
    peerList = { streamId: 30 + index, deviceIds: [`ROUND${index}`] };
    await peer.sendEdus(one, update("ANY", streamId, prevId));
    await until(20_000, `list ${index}`, async () => (await peerDevices()).includes(`ROUND${index}`));
    t.strictSame(await peerDevices(), [`ROUND${index}`]);
  }
});

t.test("sendTransaction: lies about devices are passed over", async (t) => {
  const before = await peerDevices();
  const bobBefore = await peerDevices(bob.userId);
  const { nextBatch: since } = await syncUntil(alice, () => true);
  await peer.sendEdus(
    one,
    update("LIE", 1, [], { user_id: bob.userId, keys: keysOf("LIE", bob.userId) }),
    update("LIE", 1, [], { user_id: alice.userId, keys: keysOf("LIE", alice.userId) }),
    update("LIE", 1, [], { user_id: `@nobody:${peer.name}` }),
    update("LIE", 1, [], { user_id: 5 }),
    update("LIE", 1, [], { device_id: 5 }),
    update("LIE", 1, [], { device_id: "D".repeat(256) }),
    { edu_type: "m.signing_key_update", content: { user_id: bob.userId } },
    { edu_type: "m.signing_key_update", content: {} },
    { edu_type: "m.device_list_update", content: [] },
  );
  await uploadKeys(bob);
  await syncUntil(
    alice,
    (answer) => {
      t.notOk(isChanged(peer.userId)(answer));
      return isChanged(bob.userId)(answer);
    },
    { since },
  );
  t.strictSame(await peerDevices(), before);
  t.notOk([...bobBefore, ...(await peerDevices(bob.userId))].includes("LIE"));
});

t.test("sendTransaction: cross-signing keys of a peer's user", async (t) => {
  const { nextBatch: since } = await syncUntil(alice, () => true);
  const { body } = makeCrossSigning({ userId: peer.userId });
  const { user_signing_key: _own, ...shown } = body;
  const content = { user_id: peer.userId, ...shown };
  await peer.sendEdus(one, { edu_type: "org.matrix.signing_key_update", content });
  await syncUntil(alice, isChanged(peer.userId), { since });
  const answer = await alice.post(`${v3}/keys/query`, { device_keys: { [peer.userId]: [] } }, "queryKeys");
  t.match(answer.body, {
    master_keys: { [peer.userId]: body.master_key },
    self_signing_keys: { [peer.userId]: body.self_signing_key },
  });
});

t.test("sendTransaction: a list that cannot be had is asked for again, over a restart as well", async (t) => {
  const whole = peer.answers.get(devicesUri);
  const before = asked();
  peer.answers.set(devicesUri, () => ({ status: 503, body: {} }));
  await peer.sendEdus(one, update("LATER", 99, [98]));
  await until(20_000, "the peer to be asked", () => asked() > before);
  const stale = await alice.post(`${v3}/keys/query`, { device_keys: { [peer.userId]: [] } }, "queryKeys");
  t.strictSame(Object.keys(stale.body["failures"] as Json), [peer.name]);
  t.ok(peer.userId in (stale.body["device_keys"] as Json), "old keys serve better than none");
  peerList = { streamId: 99, deviceIds: ["LATER"] };
  const { nextBatch: since } = await syncUntil(alice, () => true);
  await one.restart(async () => {
    if (whole) peer.answers.set(devicesUri, whole);
  });
  await syncUntil(alice, isChanged(peer.userId), { since });
  t.strictSame(await peerDevices(), ["LATER"]);
});

t.test("sendTransaction: a message of an unknown device makes its sender's list be asked for", async (t) => {
  const room = await createRoom(alice, { room_version: "11" });
  const { joinId, auth } = await joinByPeer(peer, one, alice, room);
  let newest = joinId;
  /** Sends a message as if from a device, and waits until it is there. */
  const write = async (content: Json) => {
    const { id, pdu } = peer.event({
      room_id: room,
      type: "m.room.encrypted",
      sender: peer.userId,
      content: { algorithm: "m.megolm.v1.aes-sha2", ciphertext: "AAAA", session_id: "S", ...content },
      depth: 50,
      prev_events: [newest],
      auth_events: auth,
    });
    newest = id;
    const uri = `${sendUri}${encodeURIComponent(id)}`;
    const body = { origin: peer.name, origin_server_ts: Date.now(), pdus: [pdu] };
    t.same((await peer.request(one, "PUT", uri, body)).body, { pdus: { [id]: {} } });
    const eventUri = `${v3}/rooms/${encodeURIComponent(room)}/event/${encodeURIComponent(id)}`;
    await until(20_000, "the message", async () => (await alice.get(eventUri)).status === 200);
  };
  t.strictSame(await peerDevices(), ["LATER"]);
  const before = asked();
  await write({});
  await write({ device_id: "LATER" });
  await write({ device_id: 5, sender_key: 5 });
  t.strictSame(await peerDevices(), ["LATER"]);
  t.equal(asked(), before, "nothing seems to be missing");
  peerList = { streamId: 110, deviceIds: ["LATER", "SILENT"] };
  const { nextBatch: since } = await syncUntil(alice, () => true);
  await write({ device_id: "SILENT", sender_key: "key" });
  await syncUntil(alice, isChanged(peer.userId), { since });
  t.strictSame(await peerDevices(), ["LATER", "SILENT"]);
  t.equal(asked(), before + 1);
  await leave(alice, room);
});

t.test("sendTransaction: a peer with too many devices has none; many updates are no matter", async (t) => {
  peerList = { streamId: 200, deviceIds: Array.from({ length: 1_001 }, (_, index) => `D${index}`) };
  await peer.sendEdus(one, update("MANY", 200, []));
  await until(30_000, "an empty list", async () => (await peerDevices()).length === 0);
  const before = asked();
  for (let round = 0; round < 5; round++) {
    const updates = Array.from({ length: 100 }, (_, index) =>
      update("__proto__", 201 + round * 100 + index, [200 + round * 100 + index]),
    );
    await peer.sendEdus(one, ...updates);
  }
  t.strictSame(await peerDevices(), ["__proto__"]);
  t.equal(asked(), before);
});

t.test("sendTransaction: who shares no room any more is forgotten, and asked for anew", async (t) => {
  const room = await createRoom(alice, { room_version: "11" });
  await peer.join(one, room);
  peerList = { streamId: 1_000, deviceIds: ["BEFORE"] };
  await peer.sendEdus(one, update("BEFORE", 1_000, []));
  await until(20_000, "the list", async () => (await peerDevices()).includes("BEFORE"));
  await leave(alice, room);
  t.strictSame(await peerDevices(), ["BEFORE"], "another room is shared");
  const members = ["dora", "emil"].map((name) => login(one, name));
  for (const client of [alice, ...(await Promise.all(members))]) await leave(client, roomId);
  peerList = { streamId: 2_000, deviceIds: ["AFTER"] };
  await peer.sendEdus(one, update("BEFORE", 1_001, [1_000]));
  t.strictSame(await peerDevices(), [], "the peer is asked, and has no answer to that question");
  t.equal(peer.uris.at(-1), "/_matrix/federation/v1/user/keys/query");
});
