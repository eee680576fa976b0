import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { FakePeer } from "../support/fake-peer.ts";
import { twoServersAndPeer } from "../support/federated-room.ts";
import { PeerRoom } from "../support/peer-room.ts";
import { createRoom, type Json, moderate, setState, sync } from "../support/rooms.ts";
import { patienceMs, until } from "../support/within.ts";

const client = "/_matrix/client/v3";
const federation = "/_matrix/federation";
const encoded = encodeURIComponent;

const { alice, bob, one, two, peer, servers } = await twoServersAndPeer(t, {
  federation: { denied_servers: ["denied.test"] },
});

const knock = (user: TestClient, roomId: string, reason?: string) =>
  user.post(`${client}/knock/${encoded(roomId)}?server_name=${encoded(one.name)}`, reason ? { reason } : {});
const join = (user: TestClient, roomId: string) =>
  user.post(`${client}/join/${encoded(roomId)}?server_name=${encoded(one.name)}`, {});
const leave = (user: TestClient, roomId: string) => user.post(`${client}/rooms/${encoded(roomId)}/leave`, {});
const invite = (user: TestClient, roomId: string, userId: string) =>
  user.post(`${client}/rooms/${encoded(roomId)}/invite`, { user_id: userId });

async function member(user: TestClient, roomId: string, userId: string): Promise<Json> {
  return (await user.get(`${client}/rooms/${encoded(roomId)}/state/m.room.member/${encoded(userId)}`)).body;
}

const hasBecome = (user: TestClient, roomId: string, userId: string, membership: string) =>
  until(
    patienceMs,
    `${membership} of ${userId}`,
    async () => (await member(user, roomId, userId))["membership"] === membership,
  );

/** Waits until a user's client lists a room so. */
const isListed = (user: TestClient, roomId: string, membership: "invite" | "knock") =>
  until(patienceMs, membership, async () => (await sync(user)).find(membership, roomId) !== undefined);
const isUnlisted = (user: TestClient, roomId: string, membership: "invite" | "knock") =>
  until(patienceMs, "its end", async () => (await sync(user)).find(membership, roomId) === undefined);

t.test("makeKnock, sendKnock: refused, let in, sent away, and taken back", async (t) => {
  for (const rule of ["knock_restricted", "knock"]) {
    const roomId = await createRoom(alice, {
      preset: "private_chat",
      room_version: "10",
      name: "The inner room",
    });
    t.match(await knock(bob, roomId), { status: 403, body: { errcode: "M_FORBIDDEN" } });
    await setState(alice, roomId, "m.room.join_rules", { join_rule: rule, allow: [] });
    t.match(await join(bob, roomId), { status: 403, body: { errcode: "M_FORBIDDEN" } });
    t.equal((await knock(bob, roomId, "Let me in")).status, 200);
    await hasBecome(alice, roomId, bob.userId, "knock");
    t.match(await member(alice, roomId, bob.userId), { membership: "knock", reason: "Let me in" });
    await isListed(bob, roomId, "knock");
    const { body: seen } = await bob.get(`${client}/sync`);
    t.match(JSON.stringify(seen["rooms"]), /The inner room/);
    t.equal((await knock(bob, roomId, "Once more")).status, 200);
    if (rule === "knock_restricted") continue;

    t.equal((await leave(bob, roomId)).status, 200);
    await hasBecome(alice, roomId, bob.userId, "leave");
    await isUnlisted(bob, roomId, "knock");
    t.equal((await knock(bob, roomId)).status, 200, "a knock that was taken back is no hindrance");
    await hasBecome(alice, roomId, bob.userId, "knock");
    await moderate(alice, roomId, "kick", bob.userId);
    await isUnlisted(bob, roomId, "knock");
    t.equal((await knock(bob, roomId)).status, 200);
    await hasBecome(alice, roomId, bob.userId, "knock");

    t.equal((await invite(alice, roomId, bob.userId)).status, 200);
    await isListed(bob, roomId, "invite");
    t.match(await knock(bob, roomId), { status: 403 }, "who is invited need not knock");
    t.equal((await join(bob, roomId)).status, 200);
    t.match(await knock(bob, roomId), { status: 403 }, "who is in need not either");
    await moderate(alice, roomId, "ban", bob.userId);
    await hasBecome(bob, roomId, bob.userId, "ban");
    t.match(await knock(bob, roomId), { status: 403, body: { errcode: "M_FORBIDDEN" } });
    t.match(await join(bob, roomId), { status: 403, body: { errcode: "M_FORBIDDEN" } });
  }
});

t.test("makeKnock: rooms of versions that know no knocking", async (t) => {
  const roomId = await createRoom(alice, { preset: "private_chat", room_version: "6" });
  await setState(alice, roomId, "m.room.join_rules", { join_rule: "knock" });
  t.match(await knock(bob, roomId), { status: 403, body: { errcode: "M_FORBIDDEN" } });
  const uri = `${federation}/v1/make_knock/${encoded(roomId)}/${encoded(peer.userId)}?ver=7&ver=8`;
  t.match(await peer.request(one, "GET", uri), {
    status: 400,
    body: { errcode: "M_INCOMPATIBLE_ROOM_VERSION", room_version: "6" },
  });
});

t.test("sendInviteV2: invited again after each refusal, and not while one is in the room", async (t) => {
  const roomId = await createRoom(alice, { preset: "private_chat" });
  for (let round = 0; round < 3; round++) {
    t.equal((await invite(alice, roomId, bob.userId)).status, 200);
    await isListed(bob, roomId, "invite");
    t.equal((await invite(alice, roomId, bob.userId)).status, 200, "invited twice");
    t.equal((await leave(bob, roomId)).status, 200);
    await hasBecome(alice, roomId, bob.userId, "leave");
    await isUnlisted(bob, roomId, "invite");
  }
  t.equal((await bob.post(`${client}/rooms/${encoded(roomId)}/forget`, {})).status, 200);
  t.equal((await invite(alice, roomId, bob.userId)).status, 200, "what was forgotten can come again");
  await isListed(bob, roomId, "invite");
  t.equal((await join(bob, roomId)).status, 200);
  t.match(await invite(alice, roomId, bob.userId), { status: 403, body: { errcode: "M_FORBIDDEN" } });
  const carol = await registerUser(two, "carol");
  t.equal((await invite(alice, roomId, carol.userId)).status, 200);
  await isListed(carol, roomId, "invite");
  t.equal((await leave(carol, roomId)).status, 200, "refused by way of this server itself");
  await hasBecome(alice, roomId, carol.userId, "leave");
});

t.test("setRoomStateWithKey: who is invited by a state event is told like anybody else", async (t) => {
  const roomId = await createRoom(alice, { preset: "private_chat" });
  const gina = await registerUser(two, "gina");
  const path = `${client}/rooms/${encoded(roomId)}/state/m.room.member/`;
  const content = { membership: "invite", reason: "Please", is_direct: true };
  const sent = await alice.put(`${path}${encoded(gina.userId)}`, content);
  t.match([sent.status, sent.body], [200, { event_id: String }]);
  await isListed(gina, roomId, "invite");
  t.match(await member(alice, roomId, gina.userId), content);
  const refused = await alice.put(`${path}${encoded(`@nobody:${two.name}`)}`, content);
  t.match(refused, { status: 404, body: { errcode: "M_NOT_FOUND" } });
});

t.test("inviteUser: nobody is invited whose server is gone, denied, or says no", async (t) => {
  const roomId = await createRoom(alice, { preset: "private_chat" });
  const failed = async (userId: string, expected: Json) => {
    t.match(await invite(alice, roomId, userId), expected, userId);
    t.notMatch(await member(alice, roomId, userId), { membership: "invite" });
  };
  await failed("@x:127.0.0.1:9", { status: 502, body: { errcode: "M_CONNECTION_FAILED" } });
  await failed("@x:denied.test", { status: 502, body: { errcode: "M_CONNECTION_FAILED" } });
  await failed(`@nobody:${two.name}`, { status: 404, body: { errcode: "M_NOT_FOUND" } });
  const answer = (status: number, body: unknown) =>
    peer.answers.set(`${federation}/v2/invite/`, () => ({ status, body: body as Json }));
  answer(403, { errcode: "M_FORBIDDEN", error: "Not here" });
  await failed(peer.userId, { status: 403, body: { errcode: "M_FORBIDDEN", error: "Not here" } });
  answer(403, { errcode: "M_INVITE_BLOCKED", error: "No" });
  await failed(peer.userId, { status: 403, body: { errcode: "M_INVITE_BLOCKED" } });
  answer(400, { errcode: "M_INVALID_PARAM", error: "Wrong" });
  await failed(peer.userId, { status: 502 });
  answer(401, { errcode: "M_UNKNOWN_TOKEN", error: "Log in again" });
  await failed(peer.userId, { status: 502, body: { errcode: "M_BAD_STATUS" } });
  answer(200, {});
  await failed(peer.userId, { status: 502 });
  answer(200, { event: { type: "m.room.member" } });
  await failed(peer.userId, { status: 502 });
  peer.answers.set(`${federation}/v2/invite/`, (_uri, { event }) => {
    const { content, ...rest } = event as { content: Json };
    return {
      status: 200,
      body: { event: peer.countersigned({ ...rest, content: { ...content, membership: "join" } }) },
    };
  });
  await failed(peer.userId, { status: 502 });
  peer.answers.set(`${federation}/v2/invite/`, (_uri, { event }) => ({
    status: 200,
    body: { event: peer.countersigned(event as Json) },
  }));
  t.equal((await invite(alice, roomId, peer.userId)).status, 200);
  t.match(await member(alice, roomId, peer.userId), { membership: "invite" });
});

t.test(
  "sendInviteV2: invites are for users of this server, of users of the other one, and bounded",
  async (t) => {
    const room = new PeerRoom(peer);
    const send = (fields: Json, changes: Json = {}) => {
      const { id, pdu } = room.event({
        ...room.template(bob.userId, "invite"),
        sender: peer.userId,
        ...fields,
      });
      const body = { event: pdu, room_version: "11", invite_room_state: room.state, ...changes };
      return peer.request(two, "PUT", `${federation}/v2/invite/${room.path}/${encoded(id)}`, body);
    };
    const refused = { status: 400, body: { errcode: "M_INVALID_PARAM" } };
    t.match(await send({ type: "m.room.topic" }), refused);
    t.match(await send({ content: { membership: "join" } }), refused);
    t.match(await send({ state_key: alice.userId }), refused);
    t.match(await send({ state_key: undefined }), refused);
    t.match(await send({ room_id: `!other:${peer.name}` }), refused);
    t.match(await send({ sender: alice.userId }), refused);
    t.match(await send({}, { event: { type: "m.room.member" } }), refused);
    t.match(await send({ state_key: `@nobody:${two.name}` }), { status: 404 });
    t.match(await send({}, { room_version: "99" }), {
      status: 400,
      body: { errcode: "M_INCOMPATIBLE_ROOM_VERSION" },
    });
    const many = Array.from({ length: 501 }, () => ({}));
    t.match(await send({}, { invite_room_state: many }), { status: 400, body: { errcode: "M_BAD_JSON" } });
    t.notOk((await sync(bob)).find("invite", room.roomId));

    const [create] = room.state;
    const shown = [
      create,
      { type: "m.room.topic", state_key: "", sender: peer.userId, content: { topic: "x".repeat(70_000) } },
      7,
    ];
    t.match(await send({}, { invite_room_state: shown.slice(0, 2) }), {
      status: 200,
      body: { event: { signatures: Object } },
    });
    const { body } = await bob.get(`${client}/sync`);
    const { invite: invites } = body["rooms"] as {
      invite: Record<string, { invite_state: { events: Json[] } }>;
    };
    const state = invites[room.roomId]?.invite_state.events ?? [];
    t.strictSame(new Set(state.map(({ type }) => type)), new Set(["m.room.create", "m.room.member"]));
    t.strictSame(new Set(Object.keys(state[0] ?? {})), new Set(["content", "sender", "state_key", "type"]));

    let limited = 0;
    for (let round = 0; round < 35; round++)
      if ((await send({ depth: round + 20 })).status === 429) limited += 1;
    t.ok(limited > 3 && limited < 10, `${limited} of 35 were too many`);
  },
);

t.test("sendInviteV2: since version 12 a room is known by its create event", async (t) => {
  const roomId = await createRoom(alice, { preset: "private_chat", room_version: "12" });
  const dora = await registerUser(two, "dora");
  t.equal((await invite(alice, roomId, dora.userId)).status, 200);
  await isListed(dora, roomId, "invite");
  const fields = {
    type: "m.room.member",
    room_id: `!${"b".repeat(43)}`,
    sender: peer.userId,
    state_key: dora.userId,
  };
  const event = {
    ...fields,
    content: { membership: "invite" },
    depth: 5,
    prev_events: ["$a"],
    auth_events: ["$b"],
  };
  const { id, pdu } = peer.event(event);
  const send = (shown: Json[]) =>
    peer.request(two, "PUT", `${federation}/v2/invite/${encoded(fields.room_id)}/${encoded(id)}`, {
      event: pdu,
      room_version: "12",
      invite_room_state: shown,
    });
  const stripped = {
    type: "m.room.create",
    state_key: "",
    sender: peer.userId,
    content: { room_version: "12" },
  };
  const other = peer.event({ ...stripped, depth: 1, prev_events: [], auth_events: [] });
  for (const shown of [[], [stripped], [other.pdu]]) {
    t.match(await send(shown), { status: 400, body: { errcode: "M_INVALID_PARAM" } });
  }
});

t.test("leaveRoom: an invite can be refused though its server is gone for ever", async (t) => {
  const gone = await FakePeer.start(servers.tls);
  const room = new PeerRoom(gone);
  const { id, pdu } = room.event({ ...room.template(bob.userId, "invite"), sender: gone.userId });
  const body = { event: pdu, room_version: "11", invite_room_state: room.state };
  const uri = `${federation}/v2/invite/${room.path}/${encoded(id)}`;
  t.equal((await gone.request(two, "PUT", uri, body)).status, 200);
  await isListed(bob, room.roomId, "invite");
  await gone[Symbol.asyncDispose]();
  t.equal((await leave(bob, room.roomId)).status, 200);
  await isUnlisted(bob, room.roomId, "invite");
  t.equal((await leave(bob, room.roomId)).status, 200, "refused twice");
  t.equal((await bob.post(`${client}/rooms/${room.path}/forget`, {})).status, 200);
  t.equal((await leave(bob, `!nowhere:${gone.name}`)).status, 404);
});

t.test(
  "sendJoinV2, sendInviteV2, sendLeaveV2: a room's policy server is asked about those who come and go",
  async (t) => {
    const roomId = await createRoom(alice, { room_version: "11" });
    await peer.join(one, roomId);
    const events: Json[] = [];
    let isWanted = true;
    peer.answers.set("/_matrix/policy/v1/sign", (_uri, event) => {
      events.push(event);
      if (isWanted) return { status: 200, body: peer.policySignature(event) };
      return { status: 400, body: { errcode: "M_FORBIDDEN", error: "Not in here" } };
    });
    const policy = { via: peer.name, public_keys: { ed25519: peer.publicKey } };
    await setState(alice, roomId, "m.room.policy", policy);
    t.equal((await join(bob, roomId)).status, 200);
    t.match(events, [{ type: "m.room.member", sender: bob.userId, content: { membership: "join" } }]);
    const emma = await registerUser(two, "emma");
    t.equal((await invite(alice, roomId, emma.userId)).status, 200);
    t.match(events.at(-1), { state_key: emma.userId, content: { membership: "invite" } });
    t.equal(events.length, 2, "each is asked about once");
    await isListed(emma, roomId, "invite");
    const hasSignature = async (user: TestClient, ofUser: string) => {
      const filter = encoded(JSON.stringify({ event_format: "federation" }));
      const { body } = await user.get(`${client}/sync?filter=${filter}`);
      const { join: joined } = body["rooms"] as { join: Record<string, Record<string, { events: Json[] }>> };
      const { timeline, state } = joined[roomId] ?? {};
      const members = [...(state?.events ?? []), ...(timeline?.events ?? [])];
      const memberEvent = members.find((event) => event["state_key"] === ofUser);
      const signatures = (memberEvent?.["signatures"] ?? {}) as Record<string, Json>;
      return signatures[peer.name]?.["ed25519:policy_server"] !== undefined;
    };
    t.ok(await hasSignature(alice, bob.userId));
    t.ok(await hasSignature(bob, bob.userId), "the server of who joins has the event as the room has it");
    t.ok(await hasSignature(alice, emma.userId));

    isWanted = false;
    const fred = await registerUser(two, "fred");
    const asked = peer.uris.length;
    t.match(await invite(alice, roomId, fred.userId), { status: 403, body: { error: "Not in here" } });
    t.ok(peer.uris.length > asked);
    t.notOk((await sync(fred)).find("invite", roomId), "nobody was told");
    const other = { type: "m.room.member", room_id: roomId, sender: peer.userId, state_key: peer.userId };
    const room = encoded(roomId);
    const made = await peer.request(
      one,
      "GET",
      `${federation}/v1/make_leave/${room}/${encoded(peer.userId)}`,
    );
    const left = peer.event({ ...(made.body["event"] as Json), ...other });
    const uri = `${federation}/v2/send_leave/${room}/${encoded(left.id)}`;
    t.match(await peer.request(one, "PUT", uri, left.pdu), { status: 403, body: { errcode: "M_FORBIDDEN" } });
    t.match(await member(alice, roomId, peer.userId), { membership: "join" });
  },
);
