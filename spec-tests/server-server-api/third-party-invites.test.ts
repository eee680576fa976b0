import { writeFileSync } from "node:fs";
import { join as joinPath } from "node:path";
import t from "tap";
import { testCertificate } from "../../src/outbound/testing/certificate.ts";
import { registerUser, type TestClient } from "../support/client.ts";
import { FakeIdentityServer } from "../support/fake-identity-server.ts";
import { twoServersAndPeer } from "../support/federated-room.ts";
import { createRoom, type Json } from "../support/rooms.ts";
import { patienceMs, until } from "../support/within.ts";

const identity = await FakeIdentityServer.start(testCertificate("127.0.0.1"));
const caFile = joinPath(t.testdir(), "identity.pem");
writeFileSync(caFile, identity.certificate);
t.teardown(() => identity[Symbol.asyncDispose]());
const { alice, bob, one, two, peer } = await twoServersAndPeer(t, {
  identity_servers: {
    allowed: [identity.host],
    allowed_private_ranges: ["127.0.0.0/8"],
    extra_ca_file: caFile,
  },
});
const client = "/_matrix/client/v3";
const federation = "/_matrix/federation/v1";

/** Invites an address, and gives what its owner is handed by the identity server. */
async function inviteAddress(roomId: string, userId: string): Promise<Json & { token: string }> {
  const body = { id_server: identity.host, id_access_token: identity.accessToken };
  const path = `${client}/rooms/${encodeURIComponent(roomId)}/invite`;
  const invited = await alice.post(path, { ...body, medium: "email", address: "bob@example.org" });
  if (invited.status !== 200) throw new Error(JSON.stringify(invited.body));
  const stored = identity.invites.at(-1);
  if (!stored) throw new Error("the identity server has not been told");
  return identity.signInvite(stored, userId) as Json & { token: string };
}

function waiting(roomId: string, { sender, ...signed }: Json): Json {
  const mxid = signed["mxid"];
  return { medium: "email", address: "bob@example.org", mxid, room_id: roomId, sender, signed };
}

/** What an identity server says when somebody has proved an address; it does not sign the request. */
async function onBind(
  userId: string,
  invites: readonly Json[],
  method: "PUT" | "POST" = "PUT",
): Promise<{ status: number; body: Json }> {
  const response = await fetch(`${two.url}${federation}/3pid/onbind`, {
    method,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ medium: "email", address: "bob@example.org", mxid: userId, invites }),
  });
  return { status: response.status, body: (await response.json()) as Json };
}

async function member(user: TestClient, roomId: string, userId: string): Promise<Json> {
  const path = `${client}/rooms/${encodeURIComponent(roomId)}/state/m.room.member/${encodeURIComponent(userId)}`;
  return (await user.get(path)).body;
}

async function isInvited(user: TestClient, roomId: string): Promise<boolean> {
  const { body } = await user.get(`${client}/sync`);
  const { invite = {} } = (body["rooms"] ?? {}) as { invite?: Json };
  return Object.hasOwn(invite, roomId);
}

t.test(
  "onBindThirdPartyIdentifier, postOnBindThirdPartyIdentifier, exchangeThirdPartyInvite: whoever proves an address is invited",
  async (t) => {
    const roomId = await createRoom(alice, { preset: "private_chat", name: "For those with addresses" });
    const signed = await inviteAddress(roomId, bob.userId);
    t.notOk(await isInvited(bob, roomId));
    t.match(await onBind(bob.userId, [waiting(roomId, signed)]), { status: 200, body: {} });
    t.ok(await isInvited(bob, roomId));
    const { token } = signed;
    t.match(await member(alice, roomId, bob.userId), {
      membership: "invite",
      third_party_invite: { display_name: "b...@e...", signed: { mxid: bob.userId, token } },
    });
    t.equal(
      (await onBind(bob.userId, [waiting(roomId, signed)], "POST")).status,
      200,
      "told twice is no fault",
    );
    const joined = await bob.post(`${client}/join/${encodeURIComponent(roomId)}`, {});
    t.equal(joined.status, 200, JSON.stringify(joined.body));
    t.match(await member(alice, roomId, bob.userId), { membership: "join" });
  },
);

t.test("exchangeThirdPartyInvite: a client may bring the proof along with its join", async (t) => {
  const roomId = await createRoom(alice, { preset: "private_chat" });
  const { mxid, token, sender, signatures } = await inviteAddress(roomId, bob.userId);
  const join = (user: TestClient) =>
    user.post(`${client}/join/${encodeURIComponent(roomId)}?server_name=${one.name}`, {
      third_party_signed: { mxid, token, sender, signatures },
    });
  const eve = await registerUser(two, "eve");
  t.match(await join(eve), { status: 403, body: { errcode: "M_FORBIDDEN" } });
  const joined = await join(bob);
  t.equal(joined.status, 200, JSON.stringify(joined.body));
});

t.test("exchangeThirdPartyInvite: the inviter's server is asked though the room is here", async (t) => {
  const roomId = await createRoom(alice, { preset: "public_chat" });
  const carol = await registerUser(two, "carol");
  const joined = await carol.post(`${client}/join/${encodeURIComponent(roomId)}?server_name=${one.name}`, {});
  t.equal(joined.status, 200, JSON.stringify(joined.body));
  const signed = await inviteAddress(roomId, bob.userId);
  const isInvitedThere = async () => {
    // The invitation itself may still be on its way.
    await onBind(bob.userId, [waiting(roomId, signed)]);
    return (await member(carol, roomId, bob.userId))["membership"] === "invite";
  };
  t.ok(await until(patienceMs, "the invite", isInvitedThere, 100));
});

t.test("onBindThirdPartyIdentifier: what is not true invites nobody", async (t) => {
  const roomId = await createRoom(alice, { preset: "private_chat" });
  const signed = await inviteAddress(roomId, bob.userId);
  const invite = waiting(roomId, signed);
  const dora = await registerUser(two, "dora");
  t.match(await onBind(`@nobody:${two.name}`, [invite]), { status: 404, body: { errcode: "M_NOT_FOUND" } });
  t.match(await onBind(alice.userId, [invite]), { status: 404 }, "a user of another server");
  t.match(await onBind(dora.userId, [invite]), { status: 400, body: { errcode: "M_INVALID_PARAM" } });
  const forged = {
    ...invite,
    mxid: dora.userId,
    signed: { ...(invite["signed"] as Json), mxid: dora.userId },
  };
  t.match(await onBind(dora.userId, [forged]), { status: 403, body: { errcode: "M_FORBIDDEN" } });
  t.match(await onBind(bob.userId, [{ ...invite, sender: `@x:${two.name}` }]), { status: 404 });
  t.match(await onBind(bob.userId, [{ ...invite, room_id: "nowhere" }]), { status: 400 });
  t.match(await onBind(bob.userId, [{ ...invite, signed: {} }]), {
    status: 400,
    body: { errcode: "M_BAD_JSON" },
  });
  const many = Array.from({ length: 101 }, () => invite);
  t.match(await onBind(bob.userId, many), { status: 400, body: { errcode: "M_BAD_JSON" } });
  const dead = { ...invite, sender: "@gone:127.0.0.1:9" };
  t.match(await onBind(bob.userId, [dead]), { status: 502, body: { errcode: "M_CONNECTION_FAILED" } });
  t.notOk(await isInvited(bob, roomId));
  t.notOk(await isInvited(dora, roomId));
  t.equal((await onBind(bob.userId, [dead, invite])).status, 502, "the others are taken all the same");
  t.ok(await isInvited(bob, roomId));
});

t.test(
  "exchangeThirdPartyInvite: a server that asks for others, or with a false proof, is refused",
  async (t) => {
    const roomId = await createRoom(alice, { preset: "private_chat" });
    const signed = await inviteAddress(roomId, peer.userId);
    const path = `${federation}/exchange_third_party_invite/`;
    const exchange = (changes: Json, proof: Json = signed, room = roomId) =>
      peer.request(one, "PUT", `${path}${encodeURIComponent(room)}`, {
        type: "m.room.member",
        room_id: roomId,
        sender: alice.userId,
        state_key: peer.userId,
        content: { membership: "invite", third_party_invite: { display_name: "b", signed: proof } },
        ...changes,
      });
    const { sender: _sender, signatures, ...rest } = signed;
    t.match(await exchange({ state_key: bob.userId }), { status: 403, body: { errcode: "M_FORBIDDEN" } });
    t.match(await exchange({ sender: bob.userId }), { status: 403, body: { errcode: "M_FORBIDDEN" } });
    t.match(await exchange({ type: "m.room.topic" }), { status: 400, body: { errcode: "M_BAD_JSON" } });
    t.match(await exchange({}, signed, `!other:${one.name}`), { status: 400 });
    t.match(await exchange({ room_id: `!other:${one.name}` }, signed, `!other:${one.name}`), { status: 404 });
    t.match(await exchange({}, { ...rest, token: "another", signatures }), { status: 403 });
    t.match(await exchange({}, { ...rest, signatures: {} }), {
      status: 403,
      body: { errcode: "M_FORBIDDEN" },
    });
    t.notMatch(await member(alice, roomId, peer.userId), { membership: "invite" });
    // Its server does not take invites: without its signature there is none.
    t.match(await exchange({}, { ...rest, signatures }), { status: 502 });
    t.notMatch(await member(alice, roomId, peer.userId), { membership: "invite" });
  },
);
