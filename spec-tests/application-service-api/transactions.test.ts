import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import t from "tap";
import { appserviceConfig, TestAppservice } from "../support/appservice.ts";
import { registerUser } from "../support/client.ts";
import { createRoom, join, leave, moderate, redact, say, setState } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

// sendTransaction: "This API is called by the homeserver when it wants to push an event (or batch of events)."

const v3 = "/_matrix/client/v3";
const bridge = await TestAppservice.start({ aliases: [{ regex: "#_bridge_.*", exclusive: true }] });
const watcher = await TestAppservice.start({
  id: "watcher",
  users: [],
  aliases: [{ regex: "#watched", exclusive: false }],
});
const quiet = await TestAppservice.start({ id: "quiet", more: { url: null } });
const server = await startServer(await appserviceConfig(t, bridge, watcher, quiet));
t.teardown(async () => {
  await server[Symbol.asyncDispose]();
  for (const appservice of [bridge, watcher, quiet]) await appservice.close();
});
const alice = await registerUser(server, "alice");

t.test("sendTransaction: what happens in rooms of its users, in order, as clients get it", async (t) => {
  const bob = await bridge.user(server, "_bridge_bob");
  const elsewhere = await createRoom(alice);
  const room = await createRoom(alice);
  const before = await say(alice, room, "before");
  await join(bob, room);
  const ids = [await say(alice, room, "one"), await say(bob, room, "two")];
  await say(alice, elsewhere, "not for the bridge");
  await setState(alice, room, "m.room.topic", { topic: "old" });
  const topic = await setState(alice, room, "m.room.topic", { topic: "new" });
  ids.push(topic, await redact(alice, room, ids[0] ?? ""));
  await leave(bob, room);
  await say(alice, room, "after");
  const again = await createRoom(alice, {}, bob);
  await bridge.event(await say(alice, again, "last"));
  const events = bridge.events.filter(({ room_id: id }) => id === room);
  const shown = events.map(({ event_id: id }) => id);
  t.strictSame(
    shown.filter((id) => ids.includes(id)),
    ids,
  );
  t.notOk(shown.includes(before), "what was before its user came is not its business");
  t.match(events[0], { type: "m.room.member", state_key: bob.userId, content: { membership: "join" } });
  t.match(events.at(-1), { state_key: bob.userId, content: { membership: "leave" } });
  t.match(
    events.find(({ event_id: id }) => id === topic),
    {
      sender: alice.userId,
      state_key: "",
      content: { topic: "new" },
      unsigned: {
        age: Number,
        prev_content: { topic: "old" },
        prev_sender: alice.userId,
        replaces_state: String,
      },
      origin_server_ts: Number,
    },
  );
  t.notOk(bridge.events.some(({ room_id: id }) => id === elsewhere));
});

t.test("sendTransaction: requests as the specification has them", async (t) => {
  const bob = await bridge.user(server, "_bridge_requests");
  await bridge.event(await say(bob, await createRoom(bob), "hello"));
  const [transaction] = bridge.transactions;
  t.match(transaction, { method: "PUT", path: /^\/_matrix\/app\/v1\/transactions\/\d+$/ });
  t.equal(transaction?.headers.authorization, `Bearer ${bridge.hsToken}`);
  t.equal(transaction?.headers["content-type"], "application/json");
  t.strictSame([...(transaction?.query ?? [])], [], "no token in the URL");
  const ids = bridge.transactions.map(({ path }) => Number(path.split("/").at(-1)));
  t.strictSame(
    ids,
    ids.toSorted((a, b) => a - b),
    "IDs grow",
  );
  t.equal(new Set(ids).size, ids.length);
});

t.test("sendTransaction: rooms that its users make, from their first event on", async (t) => {
  const bob = await bridge.user(server, "_bridge_maker");
  const room = await createRoom(bob, { name: "Portal", invite: [alice.userId] });
  await bridge.event(await say(bob, room, "hello"));
  const types = bridge.events.filter(({ room_id: id }) => id === room).map(({ type }) => type);
  t.strictSame(types.slice(0, 2), ["m.room.create", "m.room.member"]);
  t.ok(types.includes("m.room.name"));
});

t.test("sendTransaction: an invite shows the room, and its refusal ends it", async (t) => {
  const bob = await bridge.user(server, "_bridge_invited");
  const room = await createRoom(alice, { preset: "private_chat", name: "Secret" });
  await say(alice, room, "not for those outside");
  await moderate(alice, room, "invite", bob.userId);
  await leave(bob, room);
  await say(alice, room, "not for those outside either");
  await bridge.event(await say(bob, await createRoom(bob), "flush"));
  const events = bridge.events.filter(({ room_id: id }) => id === room);
  t.match(
    events.map(({ content }) => content),
    [{ membership: "invite" }, { membership: "leave" }],
  );
  t.equal(events.length, 2);
  const shown = events[0]?.unsigned?.["invite_room_state"] as { type: string; content: object }[];
  t.match(
    shown.find(({ type }) => type === "m.room.name"),
    { content: { name: "Secret" }, sender: alice.userId, state_key: "" },
  );
});

t.test("sendTransaction: rooms of the alias namespace, as long as they have the alias", async (t) => {
  const room = await createRoom(alice);
  const before = await say(alice, room, "before");
  const alias = encodeURIComponent("#watched-room:hearth.test");
  t.equal((await alice.put(`${v3}/directory/room/${alias}`, { room_id: room })).status, 200);
  await watcher.event(await say(alice, room, "watched"));
  t.equal((await alice.delete(`${v3}/directory/room/${alias}`)).status, 200);
  const after = await say(alice, room, "after");
  const other = await createRoom(alice, { room_alias_name: "watched-too" });
  await watcher.event(await say(alice, other, "flush"));
  const shown = watcher.events.map(({ event_id: id }) => id);
  t.notOk(shown.includes(before));
  t.notOk(shown.includes(after));
  t.match(
    watcher.events.find(({ room_id: id }) => id === other),
    { type: "m.room.create" },
  );
});

t.test("sendTransaction: an upgrade takes the alias, and the interest, to the new room", async (t) => {
  const room = await createRoom(alice, { room_alias_name: "watched-upgrade", room_version: "10" });
  await watcher.event(await say(alice, room, "hello"));
  const upgraded = await alice.post(`${v3}/rooms/${encodeURIComponent(room)}/upgrade`, { new_version: "11" });
  const replacement = String(upgraded.body["replacement_room"]);
  await watcher.event(await say(alice, replacement, "hello again"));
  const after = await say(alice, room, "left behind");
  await watcher.event(await say(alice, replacement, "flush"));
  t.notOk(watcher.events.some(({ event_id: id }) => id === after));
});

t.test("sendTransaction: none without a URL", async (t) => {
  const silent = await quiet.user(server, "_quiet_user");
  const bot = bridge.as(server);
  await say(silent, await createRoom(silent), "hello");
  await bridge.event(await say(bot, await createRoom(bot), "flush"));
  t.strictSame(quiet.received, []);
});

t.test("sendTransaction: redirects are not followed", async (t) => {
  const asked: string[] = [];
  const other = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end("{}");
  }).listen(0, "127.0.0.1");
  await once(other, "listening");
  t.teardown(() => other.close());
  const { port } = other.address() as AddressInfo;
  let attempts = 0;
  bridge.verdict = () => {
    attempts += 1;
    return attempts > 1 ? undefined : { status: 307, headers: { Location: `http://127.0.0.1:${port}/` } };
  };
  const bot = bridge.as(server);
  await say(bot, await createRoom(bot), "hello");
  await bridge.until("another attempt", () => attempts > 1);
  bridge.verdict = () => undefined;
  t.strictSame(asked, []);
});
