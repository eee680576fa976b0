import t from "tap";
import type { TestClient } from "../support/client.ts";
import { twoServersAndPeer } from "../support/federated-room.ts";
import { createRoom, type Json, moderate, say, setState, sync } from "../support/rooms.ts";
import { patienceMs, until } from "../support/within.ts";

const client = "/_matrix/client/v3";

const { alice, bob, one, two, peer } = await twoServersAndPeer(t);

const encoded = encodeURIComponent;

function joinVia(user: TestClient, roomId: string, server: string) {
  return user.post(`${client}/join/${encoded(roomId)}?server_name=${encoded(server)}`, {});
}

/** The events that the peer has been sent by a server. */
function sentTo(by: string): Json[] {
  return peer.received.filter(({ origin }) => origin === by).flatMap(({ pdus }) => pdus as Json[]);
}

t.test("getRoomIdByAlias: the server that has made an alias is asked, whatever the alias is", async (t) => {
  const name = "老虎 £я🤨👉ඞ";
  const roomId = await createRoom(alice, { room_alias_name: name });
  const found = await bob.get(
    `${client}/directory/room/${encoded(`#${name}:${one.name}`)}`,
    "getRoomIdByAlias",
  );
  t.same([found.status, found.body], [200, { room_id: roomId, servers: [one.name] }]);
  const missing = await bob.get(`${client}/directory/room/${encoded(`#nothing:${one.name}`)}`);
  t.same([missing.status, missing.body["errcode"]], [404, "M_NOT_FOUND"]);
  t.equal((await joinVia(bob, roomId, one.name)).status, 200);
  const local = await alice.get(`${client}/directory/room/${encoded(`#${name}:${one.name}`)}`);
  t.same(local.body["servers"], [one.name, two.name], "servers that are in the room are told");
});

t.test(
  "sendJoinV2: the server by which a user comes in tells the others of it, not the user's own",
  async (t) => {
    const roomId = await createRoom(alice, { room_version: "11" });
    await peer.join(one, roomId);
    t.equal((await joinVia(bob, roomId, one.name)).status, 200);
    const said = await say(bob, roomId, "here I am");
    const isMessage = ({ type, room_id: room }: Json) => type === "m.room.message" && room === roomId;
    await until(patienceMs, "the message", () => sentTo(two.name).some(isMessage));
    t.ok(said);
    const isJoin = ({ state_key: user }: Json) => user === bob.userId;
    await until(patienceMs, "the join", () => sentTo(one.name).some(isJoin));
    t.same(sentTo(two.name).filter(isJoin), []);
  },
);

t.test("redactEvent: what only other servers have is redacted there", async (t) => {
  const roomId = await createRoom(alice, { room_version: "11" });
  const redact = (user: TestClient, transaction: string) =>
    user.put(`${client}/rooms/${encoded(roomId)}/redact/${encoded("$elsewhere")}/${transaction}`, {});
  t.equal((await redact(alice, "alone")).status, 404, "nobody else could have it");
  t.equal((await joinVia(bob, roomId, one.name)).status, 200);
  await peer.join(one, roomId);
  t.equal((await redact(bob, "powerless")).status, 403);
  const redacted = await redact(alice, "both");
  t.equal(redacted.status, 200);
  const isRedaction = ({ type, content }: Json) =>
    type === "m.room.redaction" && (content as Json)["redacts"] === "$elsewhere";
  await until(patienceMs, "the redaction", () => sentTo(one.name).some(isRedaction));
});

t.test("sendTransaction: an invite is taken back by who has made it, and by nobody else", async (t) => {
  const invited = async (roomId: string) => (await sync(bob)).find("invite", roomId) !== undefined;
  const roomId = await createRoom(alice, { preset: "private_chat", invite: [bob.userId] });
  await until(patienceMs, "the invite", () => invited(roomId));
  const forged = peer.event({
    room_id: roomId,
    type: "m.room.member",
    state_key: bob.userId,
    sender: peer.userId,
    content: { membership: "leave" },
    depth: 10,
    prev_events: ["$a"],
    auth_events: ["$b"],
  });
  const answer = await peer.request(two, "PUT", "/_matrix/federation/v1/send/forged", {
    origin: peer.name,
    origin_server_ts: Date.now(),
    pdus: [forged.pdu],
  });
  t.match(answer.body, { pdus: { [forged.id]: { error: "This server is not in the room." } } });
  t.ok(await invited(roomId));
  await moderate(alice, roomId, "kick", bob.userId);
  const since = (await sync(bob)).nextBatch;
  await until(patienceMs, "the end of the invite", async () => !(await invited(roomId)));
  const left = await sync(bob, { filter: { room: { include_leave: true } } });
  t.ok(left.find("leave", roomId) ?? (await sync(bob, { since })).find("leave", roomId));
});

t.test("upgradeRoom: who follows from another server takes push rules and tags along", async (t) => {
  const roomId = await createRoom(alice, { room_version: "10" });
  t.equal((await joinVia(bob, roomId, one.name)).status, 200);
  const rule = (room: string) => `${client}/pushrules/global/room/${encoded(room)}`;
  await bob.put(rule(roomId), { actions: ["dont_notify"] });
  await bob.put(`${client}/user/${encoded(bob.userId)}/rooms/${encoded(roomId)}/tags/m.favourite`, {});
  const upgraded = await alice.post(`${client}/rooms/${encoded(roomId)}/upgrade`, { new_version: "11" });
  const newRoomId = upgraded.body["replacement_room"] as string;
  const tombstone = `${client}/rooms/${encoded(roomId)}/state/m.room.tombstone/`;
  await until(patienceMs, "the tombstone", async () => (await bob.get(tombstone)).status === 200);
  t.equal((await joinVia(bob, newRoomId, one.name)).status, 200);
  t.match((await bob.get(rule(newRoomId))).body, { rule_id: newRoomId });
  const tags = await bob.get(`${client}/user/${encoded(bob.userId)}/rooms/${encoded(newRoomId)}/tags`);
  t.match(tags.body["tags"], { "m.favourite": {} });
});

t.test("sendTransaction: who has gone ahead to the replacement of a room takes settings along", async (t) => {
  const roomId = await createRoom(alice, { room_version: "10" });
  t.equal((await joinVia(bob, roomId, one.name)).status, 200);
  const rule = (room: string) => `${client}/pushrules/global/room/${encoded(room)}`;
  await bob.put(rule(roomId), { actions: ["dont_notify"] });
  const predecessor = { room_id: roomId, event_id: "$last" };
  const newRoomId = await createRoom(alice, { creation_content: { predecessor } });
  t.equal((await joinVia(bob, newRoomId, one.name)).status, 200);
  t.equal((await bob.get(rule(newRoomId))).status, 404, "the old room does not say so yet");
  await setState(alice, roomId, "m.room.tombstone", { body: "Moved", replacement_room: newRoomId });
  await until(patienceMs, "the rule", async () => (await bob.get(rule(newRoomId))).status === 200);
});
