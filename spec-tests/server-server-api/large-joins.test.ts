import t from "tap";
import { registerUser } from "../support/client.ts";
import { FakePeer } from "../support/fake-peer.ts";
import { startFederatedServers } from "../support/federated-servers.ts";
import { createRoom, join } from "../support/rooms.ts";

type Json = Record<string, unknown>;

const servers = await startFederatedServers(1);
t.teardown(() => servers[Symbol.asyncDispose]());
const [server] = servers;
if (!server) throw new Error("a server is needed");
const { tls } = servers;
const creator = await registerUser(server, "creator");
const second = await registerUser(server, "second");

/** Joins a room as a user of a fake peer, and returns what is told of the room. */
async function joinAsPeer(roomId: string, query: string): Promise<{ peer: FakePeer; body: Json }> {
  const peer = await FakePeer.start(tls);
  t.teardown(() => peer[Symbol.asyncDispose]());
  if (!server) throw new Error("a server is needed");
  const room = encodeURIComponent(roomId);
  const made = await peer.request(
    server,
    "GET",
    `/_matrix/federation/v1/make_join/${room}/${encodeURIComponent(peer.userId)}?ver=11`,
  );
  const { origin: _, ...template } = made.body["event"] as Json;
  const { id, pdu } = peer.event(template);
  const uri = `/_matrix/federation/v2/send_join/${room}/${encodeURIComponent(id)}${query}`;
  const { status, body } = await peer.request(server, "PUT", uri, pdu);
  if (status !== 200) throw new Error(JSON.stringify(body));
  return { peer, body };
}

const pairsOf = (events: unknown) =>
  (events as Json[])
    .map(({ type, state_key: key }) => `${type as string}|${key as string}`)
    .toSorted((a, b) => (a < b ? -1 : 1));

t.test("sendJoinV2: members are left out for a server that wants to learn of them later", async (t) => {
  const roomId = await createRoom(creator, { preset: "public_chat", room_version: "11", name: "Hall" });
  await join(second, roomId);
  const { body, peer } = await joinAsPeer(roomId, "?omit_members=true");
  t.equal(body["members_omitted"], true);
  t.same(body["servers_in_room"], [server.name]);
  t.same(pairsOf(body["state"]), [
    "m.room.create|",
    "m.room.history_visibility|",
    "m.room.join_rules|",
    "m.room.name|",
    "m.room.power_levels|",
  ]);
  t.same(
    pairsOf(body["auth_chain"]),
    [`m.room.member|${creator.userId}`],
    "what the rest rests on, once each",
  );
  t.equal((body["event"] as Json)["sender"], peer.userId);
  const other = await joinAsPeer(roomId, "?omit_members=true");
  t.same(other.body["servers_in_room"], [server.name, peer.name], "those that were there before");
});

t.test("sendJoinV2: a room without a name comes with the members after whom it is called", async (t) => {
  const roomId = await createRoom(creator, { preset: "public_chat", room_version: "11" });
  await join(second, roomId);
  const { body } = await joinAsPeer(roomId, "?omit_members=true");
  const members = pairsOf(body["state"]).filter((pair) => pair.startsWith("m.room.member|"));
  t.same(members, [`m.room.member|${creator.userId}`, `m.room.member|${second.userId}`]);
  t.same(body["auth_chain"], []);
});

t.test("sendJoinV2: whoever does not ask for less is told all members", async (t) => {
  const roomId = await createRoom(creator, { preset: "public_chat", room_version: "11", name: "Hall" });
  await join(second, roomId);
  const { body } = await joinAsPeer(roomId, "");
  t.equal(body["members_omitted"], false);
  t.notOk("servers_in_room" in body);
  t.ok(pairsOf(body["state"]).includes(`m.room.member|${second.userId}`));
});
