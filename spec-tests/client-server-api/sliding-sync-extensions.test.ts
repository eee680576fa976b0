import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { postReceipt, setTyping } from "../support/ephemeral.ts";
import { makeDevice } from "../support/keys.ts";
import { createRoom, join, type Json, leave, say } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";
import { Connection, list, oneList, slidingSync } from "../support/sliding-sync.ts";

// The extensions of simplified sliding sync: MSC3884, MSC3885, MSC3959, MSC3960, MSC3961.

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

async function people() {
  return { alice: await registerUser(server), bob: await registerUser(server) };
}

let transactions = 0;

async function sendToDevice(from: TestClient, to: TestClient, content: Json): Promise<void> {
  const path = `/_matrix/client/v3/sendToDevice/org.example.note/${++transactions}`;
  await from.put(path, { messages: { [to.userId]: { [to.deviceId]: content } } }, "sendToDevice");
}

t.test("slidingSync: to_device goes by positions of its own", async (t) => {
  const { alice, bob } = await people();
  const ask = (since?: string, limit = 2) =>
    slidingSync(bob, {
      extensions: { to_device: { enabled: true, limit, ...(since !== undefined && { since }) } },
    });
  for (const n of [1, 2, 3]) await sendToDevice(alice, bob, { n });
  const numbers = ({ extensions }: { extensions: Record<string, Json> }) => {
    const { events = [] } = (extensions["to_device"] ?? {}) as { readonly events?: { content: Json }[] };
    return events.map(({ content }) => content["n"]);
  };
  const first = await ask();
  t.same(numbers(first), [1, 2]);
  t.same(numbers(await ask()), [1, 2], "what is not acknowledged comes again");
  const since = String(first.extensions["to_device"]?.["next_batch"]);
  const none = await ask(since, 0);
  t.same(numbers(none), []);
  t.equal(none.extensions["to_device"]?.["next_batch"], since, "nothing is passed over");
  const second = await ask(since);
  t.same(numbers(second), [3]);
  t.same(numbers(await ask()), [3], "what was acknowledged is gone");
  t.notOk("to_device" in (await slidingSync(bob, { extensions: { to_device: {} } })).extensions);
});

t.test("slidingSync: a message to the device ends a wait", async (t) => {
  const { alice, bob } = await people();
  const connection = new Connection(bob);
  const body = { extensions: { to_device: { enabled: true } } };
  const { extensions } = await connection.sync(body);
  const since = extensions["to_device"]?.["next_batch"];
  const waiting = connection.sync({ extensions: { to_device: { enabled: true, since } } }, 20_000);
  await sendToDevice(alice, bob, { n: 1 });
  t.match((await waiting).extensions, {
    to_device: { events: [{ sender: alice.userId, content: { n: 1 } }] },
  });
});

t.test("slidingSync: e2ee brings key counts and device lists", async (t) => {
  const { alice, bob } = await people();
  await createRoom(alice, {}, bob);
  const connection = new Connection(bob);
  const body = { extensions: { e2ee: { enabled: true } } };
  t.same((await connection.sync(body)).extensions["e2ee"], {
    device_one_time_keys_count: { signed_curve25519: 0 },
    device_unused_fallback_key_types: [],
  });
  const device = makeDevice(bob);
  const uploading = connection.sync(body, 20_000);
  await bob.post("/_matrix/client/v3/keys/upload", {
    one_time_keys: { "signed_curve25519:AAAAAA": device.oneTimeKey() },
    fallback_keys: { "signed_curve25519:AAAAAB": device.oneTimeKey(true) },
  });
  t.match((await uploading).extensions["e2ee"], {
    device_one_time_keys_count: { signed_curve25519: 1 },
    device_unused_fallback_key_types: ["signed_curve25519"],
  });
  await alice.post("/_matrix/client/v3/keys/upload", { device_keys: makeDevice(alice).deviceKeys });
  t.match((await connection.sync(body, 20_000)).extensions["e2ee"], {
    device_lists: { changed: [alice.userId], left: [] },
  });
});

t.test("slidingSync: account_data, of the user and of rooms", async (t) => {
  const { alice, bob } = await people();
  const [roomId, other] = [await createRoom(alice, {}, bob), await createRoom(alice, {}, bob)];
  const user = `/_matrix/client/v3/user/${bob.userId}`;
  await bob.put(`${user}/account_data/org.example.a`, { n: 1 });
  await bob.put(`${user}/rooms/${roomId}/account_data/org.example.r`, { n: 2 });
  await bob.put(`${user}/rooms/${other}/account_data/org.example.r`, { n: 3 });
  const connection = new Connection(bob);
  const config = { timeline_limit: 1, required_state: [] };
  const body = {
    room_subscriptions: { [roomId]: config },
    extensions: { account_data: { enabled: true } },
  };
  const first = (await connection.sync(body)).extensions["account_data"] as { global: Json[]; rooms: Json };
  t.same(first.rooms, { [roomId]: [{ type: "org.example.r", content: { n: 2 } }] });
  t.ok(first.global.some(({ type }) => type === "m.push_rules"));
  t.match(
    first.global.find(({ type }) => type === "org.example.a"),
    { content: { n: 1 } },
  );
  t.same((await connection.sync(body)).extensions, {});
  await bob.put(`${user}/rooms/${roomId}/account_data/org.example.r`, { n: 4 });
  t.same((await connection.sync(body)).extensions["account_data"], {
    rooms: { [roomId]: [{ type: "org.example.r", content: { n: 4 } }] },
  });
  await bob.put(`${user}/account_data/org.example.a`, { n: 5 });
  t.same((await connection.sync(body)).extensions["account_data"], {
    global: [{ type: "org.example.a", content: { n: 5 } }],
    rooms: {},
  });
  const more = { ...body, room_subscriptions: { [roomId]: config, [other]: config } };
  t.same((await connection.sync(more)).extensions["account_data"], {
    rooms: { [other]: [{ type: "org.example.r", content: { n: 3 } }] },
  });
  await connection.sync({ ...more, extensions: {} });
  await bob.put(`${user}/account_data/org.example.a`, { n: 6 });
  await connection.sync({ ...more, extensions: {} });
  const again = (await connection.sync(more)).extensions["account_data"] as { global: Json[] };
  t.match(
    again.global.find(({ type }) => type === "org.example.a"),
    { content: { n: 6 } },
    "what came while it was switched off",
  );
});

t.test("slidingSync: receipts of what is shown, and the user's own", async (t) => {
  const { alice, bob } = await people();
  const carol = await registerUser(server);
  const roomId = await createRoom(alice, {}, bob, carol);
  const old = await say(alice, roomId, "old");
  const recent = await say(alice, roomId, "recent");
  await postReceipt(carol, roomId, old);
  await postReceipt(bob, roomId, old, {}, "m.read.private");
  await postReceipt(alice, roomId, recent);
  const connection = new Connection(bob);
  const body = oneList({ timeline_limit: 1 }, { extensions: { receipts: { enabled: true } } });
  const first = (await connection.sync(body)).extensions["receipts"] as { rooms: Record<string, Json> };
  const content = first.rooms[roomId]?.["content"] as Record<string, Record<string, Json>>;
  t.same(Object.keys(content).sort(), [old, recent].sort());
  t.same(Object.keys(content[old] ?? {}), ["m.read.private"], "not that of others to what is not shown");
  t.same(Object.keys(content[recent]?.["m.read"] ?? {}), [alice.userId]);
  t.same((await connection.sync(body)).extensions, {});
  const waiting = connection.sync(body, 20_000);
  await postReceipt(carol, roomId, recent);
  t.match(await waiting, {
    rooms: {},
    extensions: { receipts: { rooms: { [roomId]: { type: "m.receipt" } } } },
  });
  await postReceipt(bob, roomId, recent);
  const own = await connection.sync(body);
  t.match(own.rooms[roomId], { notification_count: 0 }, "what is read is not unread");
  t.match(own.extensions, { receipts: { rooms: { [roomId]: {} } } });
});

t.test("slidingSync: typing, and which rooms an extension covers", async (t) => {
  const { alice, bob } = await people();
  const [a, b] = [await createRoom(alice, {}, bob), await createRoom(alice, {}, bob)];
  const config = { timeline_limit: 1, required_state: [] };
  const body = (typing: Json) => ({
    lists: { top: list({ ranges: [[0, 0]] }) },
    room_subscriptions: { [a]: config },
    extensions: { typing: { enabled: true, ...typing } },
  });
  for (const roomId of [a, b]) await setTyping(alice, roomId, { typing: true, timeout: 60_000 });
  const covered = async (typing: Json) => {
    const { rooms = {} } = (await slidingSync(bob, body(typing))).extensions["typing"] ?? {};
    return Object.keys(rooms as object).sort();
  };
  t.same(await covered({}), [a, b].sort());
  t.same(await covered({ lists: [] }), [a]);
  t.same(await covered({ rooms: [] }), [b]);
  t.same(await covered({ lists: ["top"], rooms: [a] }), [a, b].sort());
  t.same(await covered({ lists: ["other"], rooms: [] }), []);
  const connection = new Connection(bob);
  await connection.sync(body({ rooms: [] }));
  t.same((await connection.sync(body({}))).extensions["typing"], {
    rooms: { [a]: { type: "m.typing", content: { user_ids: [alice.userId] } } },
  });
  const waiting = connection.sync(body({}), 20_000);
  await setTyping(alice, b, { typing: false });
  t.same((await waiting).extensions["typing"], {
    rooms: { [b]: { type: "m.typing", content: { user_ids: [] } } },
  });
  await leave(bob, a);
  await setTyping(alice, a, { typing: false });
  t.notOk("typing" in (await connection.sync(body({}))).extensions, "nothing of rooms that were left");
  await join(bob, a);
  t.ok((await connection.sync(body({}))).rooms[a]?.initial);
});
