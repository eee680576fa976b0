import t, { type Test } from "tap";
import { FakePeer } from "../support/fake-peer.ts";
import { serverAndPeer } from "../support/federated-room.ts";
import { say } from "../support/rooms.ts";
import { until } from "../support/within.ts";

const { alice, peer, server, servers } = await serverAndPeer(t);

/** Bodies of the messages that the peer has been sent. */
const messages = () =>
  peer.received
    .flatMap(({ pdus }) => pdus as { type: string; content: Record<string, unknown> }[])
    .filter(({ type }) => type === "m.room.message")
    .map(({ content }) => content["body"]);

async function refusesInvites(t: Test, roomId: string): Promise<void> {
  const room = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}`;
  const userId = `@other:${peer.name}`;
  const member = `${room}/state/m.room.member/${encodeURIComponent(userId)}`;
  const refused = {
    status: 403,
    body: { errcode: "M_FORBIDDEN", error: /does not talk with other servers/ },
  };
  t.match(await alice.post(`${room}/invite`, { user_id: userId }, "inviteUser"), refused);
  t.match(await alice.put(member, { membership: "invite" }, "setRoomStateWithKey"), refused);
  t.equal((await alice.get(member)).status, 404, "there is no invite here either");
  const rooms = async () => (await alice.get("/_matrix/client/v3/joined_rooms")).body["joined_rooms"];
  const before = await rooms();
  const creation = { preset: "private_chat", invite: [userId] };
  t.match(await alice.post("/_matrix/client/v3/createRoom", creation, "createRoom"), refused);
  t.same(await rooms(), before, "no room is made that lacks who was to be in it");
}

t.test(
  "a server whose federation is off neither answers others nor sends to them, until it is on again",
  async (t) => {
    const created = await alice.post("/_matrix/client/v3/createRoom", {
      preset: "public_chat",
      room_version: "11",
    });
    const roomId = created.body["room_id"] as string;
    await peer.join(server, roomId);
    await say(alice, roomId, "on");
    await until(10_000, "the first message to arrive", () => messages().length === 1);

    await server.restart(undefined, { federation: { ...servers.federation, enabled: false } });
    const asked = peer.uris.length;
    const refused = await peer.request(server, "GET", "/_matrix/federation/v1/version");
    t.match([refused.status, refused.body["errcode"]], [404, "M_UNRECOGNIZED"]);
    await say(alice, roomId, "off");
    const directory = await alice.get(
      `/_matrix/client/v3/directory/room/${encodeURIComponent(`#any:${peer.name}`)}`,
    );
    t.equal(directory.status, 404);

    await t.test("inviteUser: users of other servers are not invited", (t) => refusesInvites(t, roomId));

    await server.restart(undefined, { federation: servers.federation });
    t.strictSame(peer.uris.slice(asked), [], "the other server was neither asked nor told");
    await say(alice, roomId, "on again");
    await until(10_000, "what came after to arrive", () => messages().includes("on again"));
    t.strictSame(
      messages().filter((body) => body !== "off"),
      ["on", "on again"],
    );
  },
);

t.test("sendTransaction: only servers that are allowed and not denied are talked with", async (t) => {
  const allowed = await FakePeer.start(servers.tls);
  t.teardown(() => allowed[Symbol.asyncDispose]());
  const lists = { allowed_servers: ["127.0.0.1", "*.allowed.test"], denied_servers: [peer.name] };
  await server.restart(undefined, { federation: { ...servers.federation, ...lists } });
  const content = { origin: peer.name, origin_server_ts: 1, pdus: [], edus: [] };
  const uri = "/_matrix/federation/v1/send/listed";
  const asked = peer.uris.length;
  const denied = await peer.request(server, "PUT", uri, content);
  t.match(denied, { status: 403, body: { errcode: "M_FORBIDDEN", error: /does not talk with/ } });
  // Neither its keys are asked for nor is its body read.
  const broken = await peer.request(server, "PUT", uri, undefined, { sig: "AAAA", text: "{ no JSON" });
  t.equal(broken.status, 403);
  const stranger = await fetch(`${server.url}${uri}`, {
    method: "PUT",
    headers: { Authorization: 'X-Matrix origin="elsewhere.test",key="ed25519:1",sig="AAAA"' },
    body: "{}",
  });
  t.equal(stranger.status, 403, "who is not on the list of the allowed ones");
  t.equal(peer.uris.length, asked);
  const welcome = await allowed.request(server, "PUT", uri, { ...content, origin: allowed.name });
  t.same(welcome, { status: 200, body: { pdus: {} } });
});
