import t from "tap";
import { appserviceConfig, TestAppservice } from "../support/appservice.ts";
import { registerUser, type TestClient } from "../support/client.ts";
import { postReceipt, setPresence, setTyping } from "../support/ephemeral.ts";
import { makeDevice } from "../support/keys.ts";
import { createRoom, join, type Json, leave, say } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

// sendTransaction: "Pushing ephemeral data", and what bridges need for encryption (MSC3202, MSC4203).

const v3 = "/_matrix/client/v3";
const bridge = await TestAppservice.start({
  more: { receive_ephemeral: true, "de.sorunome.msc2409.push_ephemeral": true, "org.matrix.msc3202": true },
});
const plain = await TestAppservice.start({ id: "plain", users: [{ regex: "@_bridge_", exclusive: false }] });
const server = await startServer(await appserviceConfig(t, bridge, plain));
t.teardown(async () => {
  await server[Symbol.asyncDispose]();
  for (const appservice of [bridge, plain]) await appservice.close();
});
const alice = await registerUser(server, "alice");
const bob = await bridge.user(server, "_bridge_bob");
const room = await createRoom(alice, {}, bob);

/** Waits for something that transactions have under a key. */
async function told(key: string, what: string, isIt: (event: Json) => boolean): Promise<Json> {
  await bridge.until(what, () => bridge.told(key).some(isIt));
  return bridge.told(key).findLast(isIt) ?? {};
}

t.test("m.typing, with the room, under the keys of then and now", async (t) => {
  await setTyping(alice, room, { typing: true, timeout: 60_000 });
  const isTyping = ({ type, content }: Json) =>
    type === "m.typing" && JSON.stringify(content).includes(alice.userId);
  for (const key of ["ephemeral", "de.sorunome.msc2409.ephemeral"]) {
    const event = await told(key, "typing", isTyping);
    t.strictSame(event, { type: "m.typing", room_id: room, content: { user_ids: [alice.userId] } });
  }
  await setTyping(alice, room, { typing: false });
  await told(
    "ephemeral",
    "the end of typing",
    ({ type, content }) => type === "m.typing" && JSON.stringify(content) === '{"user_ids":[]}',
  );
  const elsewhere = await createRoom(alice);
  await setTyping(alice, elsewhere, { typing: true, timeout: 60_000 });
  await bridge.event(await say(alice, room, "flush"));
  t.notOk(bridge.told("ephemeral").some(({ room_id: id }) => id === elsewhere));
});

t.test("m.receipt: public ones of all, private ones of its own users", async (t) => {
  const event = await say(alice, room, "read me");
  const isReceiptOf = (kind: string, userId: string) => (edu: Json) => {
    const content = edu["content"] as Record<string, Record<string, Json>>;
    return edu["type"] === "m.receipt" && content[event]?.[kind]?.[userId] !== undefined;
  };
  await postReceipt(bob, room, event, {}, "m.read.private");
  const own = await told("ephemeral", "a private receipt", isReceiptOf("m.read.private", bob.userId));
  t.match(own, { type: "m.receipt", room_id: room, content: { [event]: { "m.read.private": {} } } });
  const carol = await registerUser(server, "carol");
  await join(carol, room);
  const after = await say(alice, room, "flush");
  await postReceipt(carol, room, event, {}, "m.read.private");
  await postReceipt(carol, room, event);
  const receipt = await told("ephemeral", "a receipt", isReceiptOf("m.read", carol.userId));
  t.match(receipt, { content: { [event]: { "m.read": { [carol.userId]: { ts: Number } } } } });
  await bridge.event(after);
  t.notOk(bridge.told("ephemeral").some(isReceiptOf("m.read.private", carol.userId)));
});

t.test("m.presence: of those who share a room with its users", async (t) => {
  const stranger = await registerUser(server, "stranger");
  await setPresence(stranger, { presence: "online", status_msg: "unseen" });
  await setPresence(alice, { presence: "online", status_msg: "seen" });
  const isOf =
    ({ userId }: TestClient) =>
    ({ type, sender }: Json) =>
      type === "m.presence" && sender === userId;
  const event = await told("ephemeral", "presence", isOf(alice));
  t.match(event, { type: "m.presence", content: { presence: "online", status_msg: "seen" } });
  t.notOk(bridge.told("ephemeral").some(isOf(stranger)));
});

t.test("ephemeral data are for those only who want them", async (t) => {
  await plain.event(await say(alice, room, "flush"));
  t.ok(plain.events.length > 0);
  t.strictSame(plain.told("ephemeral"), []);
  t.strictSame(plain.told("org.matrix.msc3202.device_lists"), []);
});

t.test("to-device messages with their recipients, under both keys; exclusive users' go", async (t) => {
  await bob.put(`${v3}/devices/BRIDGE`, {}, "updateDevice");
  const message = { messages: { [bob.userId]: { "*": { secret: 1 } } } };
  t.equal((await alice.put(`${v3}/sendToDevice/m.test/t1`, message, "sendToDevice")).status, 200);
  const expected = {
    type: "m.test",
    sender: alice.userId,
    content: { secret: 1 },
    to_user_id: bob.userId,
    to_device_id: "BRIDGE",
  };
  for (const key of ["to_device", "de.sorunome.msc2409.to_device"]) {
    t.strictSame(await told(key, "a message", ({ type }) => type === "m.test"), expected);
  }
  await bridge.event(await say(alice, room, "acknowledges"));
  const device = bridge.as(server, bob.userId, "BRIDGE");
  let left: unknown[] = [];
  // The acknowledgement is stored in the background.
  for (let round = 0; round < 200 && (round === 0 || left.length > 0); round++) {
    const { body } = await device.get(`${v3}/sync`, "sync");
    left = (body["to_device"] as { events?: unknown[] } | undefined)?.events ?? [];
  }
  t.strictSame(left, [], "nothing is left to fetch");
});

t.test("counts of one-time keys and unused fallback keys, whenever they change", async (t) => {
  const device = bridge.as(server, bob.userId, "BRIDGE");
  const keys = makeDevice(device);
  const upload = {
    device_keys: keys.deviceKeys,
    one_time_keys: { "signed_curve25519:A": keys.oneTimeKey(), "signed_curve25519:B": keys.oneTimeKey() },
    fallback_keys: { "signed_curve25519:F": keys.oneTimeKey(true) },
  };
  t.equal((await device.post(`${v3}/keys/upload`, upload, "uploadKeys")).status, 200);
  const countsKey = "org.matrix.msc3202.device_one_time_keys_count";
  const has = (count: number) => (counts: Json) =>
    JSON.stringify(counts[bob.userId]) === `{"BRIDGE":{"signed_curve25519":${count}}}`;
  await told(countsKey, "two keys", has(2));
  const claim = { one_time_keys: { [bob.userId]: { BRIDGE: "signed_curve25519" } } };
  const unusedKey = "org.matrix.msc3202.device_unused_fallback_key_types";
  t.strictSame(bridge.told(unusedKey).at(-1), { [bob.userId]: { BRIDGE: ["signed_curve25519"] } });
  for (const left of [1, 0]) {
    t.equal((await alice.post(`${v3}/keys/claim`, claim, "claimKeys")).status, 200);
    await told(countsKey, `${left} keys`, has(left));
  }
  t.equal((await alice.post(`${v3}/keys/claim`, claim, "claimKeys")).status, 200);
  const isUsed = (unused: Json) => JSON.stringify(unused[bob.userId]) === '{"BRIDGE":[]}';
  await told(unusedKey, "the fallback key to be used", isUsed);
});

t.test("device lists: of neighbours, who comes and who goes", async (t) => {
  const key = "org.matrix.msc3202.device_lists";
  const has = (kind: "changed" | "left", userId: string) => (lists: Json) =>
    (lists[kind] as string[]).includes(userId);
  const stranger = await registerUser(server, "hidden");
  const upload = (client: TestClient) =>
    client.post(`${v3}/keys/upload`, { device_keys: makeDevice(client).deviceKeys }, "uploadKeys");
  await upload(stranger);
  await upload(alice);
  await told(key, "alice's keys", has("changed", alice.userId));
  t.notOk(bridge.told(key).some(has("changed", stranger.userId)));
  await join(stranger, room);
  await told(key, "somebody new", has("changed", stranger.userId));
  await leave(stranger, room);
  await told(key, "somebody who is gone", has("left", stranger.userId));
});
