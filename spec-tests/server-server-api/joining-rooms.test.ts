import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { FakePeer, type PeerAnswer } from "../support/fake-peer.ts";
import { serverAndPeer } from "../support/federated-room.ts";
import { PeerRoom } from "../support/peer-room.ts";
import { createRoom, type Json } from "../support/rooms.ts";

const { alice, peer, server, servers } = await serverAndPeer(t);
const second = await FakePeer.start(servers.tls);
t.teardown(() => second[Symbol.asyncDispose]());
const client = "/_matrix/client/v3";
const federation = "/_matrix/federation";

function join(roomId: string, ...via: { readonly name: string }[]) {
  const query = new URLSearchParams(via.map(({ name }) => ["server_name", name])).toString();
  return alice.post(`${client}/join/${encodeURIComponent(roomId)}?${query}`, {});
}

async function isJoined(user: TestClient, roomId: string): Promise<boolean> {
  const { body } = await user.get(`${client}/joined_rooms`);
  return (body["joined_rooms"] as string[]).includes(roomId);
}

const unrecognized: PeerAnswer = { status: 404, body: { errcode: "M_UNRECOGNIZED", error: "Unrecognized" } };
const ok = (body: unknown): PeerAnswer => ({ status: 200, body: body as Json });

/** How many requests the peer has been sent that have a text in their URI. */
const asked = (one: FakePeer, text: string) => one.uris.filter((uri) => uri.includes(text)).length;

t.test("sendJoinV1, sendLeaveV1: who knows the first forms only is answered in them", async (t) => {
  const roomId = await createRoom(alice, { room_version: "11" });
  const send = async (membership: string) => {
    const room = encodeURIComponent(roomId);
    const user = encodeURIComponent(peer.userId);
    const made = await peer.request(
      server,
      "GET",
      `${federation}/v1/make_${membership}/${room}/${user}?ver=11`,
    );
    const { id, pdu } = peer.event(made.body["event"] as Json);
    return peer.request(
      server,
      "PUT",
      `${federation}/v1/send_${membership}/${room}/${encodeURIComponent(id)}`,
      pdu,
    );
  };
  const joined = await send("join");
  t.equal(joined.status, 200);
  const [status, { state, auth_chain: authChain }] = joined.body as unknown as [
    number,
    Record<string, Json[]>,
  ];
  t.equal(status, 200);
  t.ok(state?.some(({ type }) => type === "m.room.join_rules"));
  t.ok(authChain?.some(({ type }) => type === "m.room.create"));
  t.strictSame((await send("leave")).body, [200, {}]);
});

t.test(
  "sendJoinV1, sendJoinV2, sendLeaveV1, sendLeaveV2, sendKnock: nothing but what the path says",
  async (t) => {
    const roomId = await createRoom(alice, { room_version: "11" });
    await peer.join(server, roomId);
    const room = encodeURIComponent(roomId);
    const event = (fields: Json) =>
      peer.event({
        room_id: roomId,
        type: "m.room.member",
        sender: peer.userId,
        state_key: peer.userId,
        depth: 20,
        prev_events: ["$before"],
        auth_events: ["$auth"],
        ...fields,
      });
    for (const [path, membership] of [
      ["v1/send_join", "join"],
      ["v2/send_join", "join"],
      ["v1/send_leave", "leave"],
      ["v2/send_leave", "leave"],
      ["v1/send_knock", "knock"],
    ] as const) {
      const put = ({ id, pdu }: { id: string; pdu: Json }, where = room) =>
        peer.request(server, "PUT", `${federation}/${path}/${where}/${encodeURIComponent(id)}`, pdu);
      const refused = { status: 400, body: { errcode: "M_INVALID_PARAM" } };
      const others = ["join", "leave", "knock", "invite", "ban"].filter((other) => other !== membership);
      for (const other of others)
        t.match(await put(event({ content: { membership: other } })), refused, path);
      const content = { membership };
      t.match(await put(event({ content, state_key: `@doris:${peer.name}` })), refused, path);
      t.match(await put(event({ content, state_key: undefined })), refused, path);
      t.match(
        await put(event({ type: "m.room.message", state_key: undefined, content: { body: "x" } })),
        refused,
      );
      t.match(await put(event({ content, room_id: `!other:${peer.name}` })), refused, path);
      const foreign = event({ content, sender: alice.userId, state_key: alice.userId });
      t.match(await put(foreign), refused, `${path}: of another server`);
      const { id, pdu } = event({ content });
      t.match(await put({ id, pdu: { ...pdu, signatures: {} } }), refused, `${path}: not signed`);
      t.match(await put({ id: "$other", pdu }), refused, `${path}: another ID`);
      t.match(await put({ id, pdu }, encodeURIComponent(`!nowhere:${server.name}`)), { status: 404 });
    }
  },
);

t.test("makeJoin, sendJoinV2: whom a room bans comes in by no way, nor whom its ACL denies", async (t) => {
  const roomId = await createRoom(alice, { room_version: "11" });
  const banned = { membership: "ban" };
  const state = `${client}/rooms/${encodeURIComponent(roomId)}/state`;
  await alice.put(`${state}/m.room.member/${encodeURIComponent(peer.userId)}`, banned);
  const room = encodeURIComponent(roomId);
  const make = (userId: string) =>
    peer.request(server, "GET", `${federation}/v1/make_join/${room}/${encodeURIComponent(userId)}?ver=11`);
  t.match(await make(peer.userId), { status: 403, body: { errcode: "M_FORBIDDEN" } });
  const made = await make(`@another:${peer.name}`);
  t.equal(made.status, 200);
  const template = made.body["event"] as Json;
  const { id, pdu } = peer.event({ ...template, sender: peer.userId, state_key: peer.userId });
  const uri = `${federation}/v2/send_join/${room}/${encodeURIComponent(id)}`;
  t.match(await peer.request(server, "PUT", uri, pdu), { status: 403, body: { errcode: "M_FORBIDDEN" } });
  t.match((await alice.get(`${state}/m.room.member/${encodeURIComponent(peer.userId)}`)).body, banned);

  await alice.put(`${state}/m.room.server_acl`, { allow: ["*"], allow_ip_literals: false });
  t.match(await make(`@another:${peer.name}`), { status: 403, body: { errcode: "M_FORBIDDEN" } });
  t.match(await peer.request(server, "PUT", uri, pdu), { status: 403, body: { errcode: "M_FORBIDDEN" } });
  const other = peer.event({ ...template, state_key: server.name, content: { membership: "invite" } });
  const invite = { event: other.pdu, room_version: "11", invite_room_state: [] };
  const inviteUri = `${federation}/v2/invite/${room}/${encodeURIComponent(other.id)}`;
  t.match(await peer.request(server, "PUT", inviteUri, invite), { status: 400 });
});

t.test("makeJoin: what is not the join that was asked for is not signed", async (t) => {
  const room = new PeerRoom(peer);
  const changes: Json[] = [
    { type: "m.room.power_levels" },
    { sender: peer.userId },
    { state_key: peer.userId },
    { room_id: `!other:${peer.name}` },
    { content: { membership: "invite" } },
    { prev_events: "none" },
    { auth_events: Array.from({ length: 1_000 }, (_, index) => `$${index}`) },
    { depth: "deep" },
  ];
  for (const change of changes) {
    room.proposesJoins((event) => ({ ...event, ...change }));
    t.equal((await join(room.roomId, peer)).status, 502, JSON.stringify(change).slice(0, 50));
  }
  room.proposesJoins(undefined, "99");
  t.match(await join(room.roomId, peer), {
    status: 400,
    body: { errcode: "M_INCOMPATIBLE_ROOM_VERSION", room_version: "99" },
  });
  t.equal(asked(peer, "/send_join/"), 0);
});

t.test("sendJoinV2: a state that cannot be true is not believed, and the next server is asked", async (t) => {
  const room = new PeerRoom(peer);
  const [create, member, levels, rules] = room.events;
  if (!create || !member || !levels || !rules) throw new Error("a room has more");
  const other = new PeerRoom(peer);
  const older = new PeerRoom(peer, { room_version: "10" });
  const unsigned = { ...create.pdu, signatures: { [peer.name]: { "ed25519:1": "A".repeat(86) } } };
  const lies: Json[] = [
    { state: undefined },
    { state: "nothing" },
    { state: [] },
    { state: [member.pdu, levels.pdu, rules.pdu] },
    { state: [unsigned, member.pdu], auth_chain: [] },
    { state: other.state, auth_chain: other.state },
    { state: [...room.state, ...other.state].slice(1), auth_chain: other.state },
    { state: older.state, auth_chain: older.state },
    { auth_chain: [], state: [create.pdu] },
  ];
  room.proposesJoins();
  for (const lie of lies) {
    room.takesJoins((event) => ok(room.joinAnswer(event, lie)));
    t.equal((await join(room.roomId, peer)).status, 502, JSON.stringify(lie).slice(0, 60));
    t.notOk(await isJoined(alice, room.roomId));
  }
  room.takesJoins(() => ({ status: 200, body: [] as unknown as Json }));
  t.equal((await join(room.roomId, peer)).status, 502);
  second.answers.set(
    `${federation}/v1/make_join/`,
    (uri) => peer.answers.get(`${federation}/v1/make_join/${room.path}/`)?.(uri, {}) ?? unrecognized,
  );
  second.answers.set(`${federation}/v2/send_join/`, (_uri, event) => ok(room.joinAnswer(event)));
  const joined = await join(room.roomId, peer, second);
  t.equal(joined.status, 200, JSON.stringify(joined.body));
  t.ok(await isJoined(alice, room.roomId));
});

t.test(
  "sendJoinV2: an invite of another version does not keep anybody out, and bad events beside the point neither",
  async (t) => {
    const room = new PeerRoom(peer);
    const invite = room.event({
      type: "m.room.member",
      state_key: alice.userId,
      content: { membership: "invite" },
      depth: 9,
      prev_events: ["$a"],
      auth_events: ["$b"],
    });
    const uri = `${federation}/v2/invite/${room.path}/${encodeURIComponent(invite.id)}`;
    const body = { event: invite.pdu, room_version: "9", invite_room_state: [] };
    t.equal((await peer.request(server, "PUT", uri, body)).status, 200);
    const name = room.event({
      type: "m.room.name",
      state_key: "",
      content: { name: "not signed" },
      depth: 9,
      prev_events: [],
      auth_events: room.events.slice(0, 3).map(({ id }) => id),
    });
    room.proposesJoins();
    const state = [...room.state, { ...name.pdu, signatures: {} }, { type: "nothing" }, 5];
    room.takesJoins((event) => ok(room.joinAnswer(event, { state })));
    const joined = await join(room.roomId);
    t.equal(joined.status, 200, JSON.stringify(joined.body));
    const created = await alice.get(`${client}/rooms/${room.path}/state/m.room.create`);
    t.equal(created.body["room_version"], "11");
    t.equal((await alice.get(`${client}/rooms/${room.path}/state/m.room.name`)).status, 404);
  },
);

t.test("sendJoinV1: servers that know nothing newer let users in, too", async (t) => {
  for (const answer of [unrecognized, { status: 404, body: {} }, { status: 405, body: {} }]) {
    const room = new PeerRoom(peer);
    room.proposesJoins();
    room.takesJoins(() => answer);
    room.takesJoins((event) => ok([200, room.joinAnswer(event, { event: undefined })]), "v1");
    const joined = await join(room.roomId, peer);
    t.equal(joined.status, 200, JSON.stringify(joined.body));
    t.ok(await isJoined(alice, room.roomId));
  }
  const room = new PeerRoom(peer);
  room.proposesJoins();
  room.takesJoins(() => ({ status: 404, body: { errcode: "M_NOT_FOUND", error: "No such room" } }));
  t.match(await join(room.roomId, peer), { status: 404, body: { errcode: "M_NOT_FOUND" } });
  t.equal(asked(peer, `/v1/send_join/${room.path}`), 0, "an answer proper is one");
});

t.test("sendLeaveV1: an invite is refused by way of servers that know nothing newer", async (t) => {
  const room = new PeerRoom(peer);
  const invite = room.event({ ...room.template(alice.userId, "invite"), sender: peer.userId });
  const uri = `${federation}/v2/invite/${room.path}/${encodeURIComponent(invite.id)}`;
  const body = { event: invite.pdu, room_version: "11", invite_room_state: [] };
  t.equal((await peer.request(server, "PUT", uri, body)).status, 200);
  peer.answers.set(`${federation}/v1/make_leave/${room.path}/`, () =>
    ok({ room_version: "11", event: room.template(alice.userId, "leave") }),
  );
  const left: Json[] = [];
  peer.answers.set(`${federation}/v2/send_leave/${room.path}/`, () => unrecognized);
  peer.answers.set(`${federation}/v1/send_leave/${room.path}/`, (_uri, event) => {
    left.push(event);
    return ok([200, {}]);
  });
  t.equal((await alice.post(`${client}/rooms/${room.path}/leave`, {})).status, 200);
  t.match(left, [{ sender: alice.userId, content: { membership: "leave" } }]);
  const again = await peer.request(server, "PUT", uri, body);
  t.equal(again.status, 200, "an invite may be sent twice");
  const { body: synced } = await alice.get(`${client}/sync`);
  t.notOk(
    Object.hasOwn((synced["rooms"] as { invite?: Json }).invite ?? {}, room.roomId),
    "it has been answered",
  );
});

t.test("sendInviteV1: rooms of the first versions take servers that know nothing newer", async (t) => {
  const signed: Json[] = [];
  peer.answers.set(`${federation}/v2/invite/`, () => unrecognized);
  peer.answers.set(`${federation}/v1/invite/`, (_uri, event) => {
    signed.push(event);
    return ok([200, { event: peer.countersigned(event) }]);
  });
  const invite = async (version: string) => {
    const roomId = await createRoom(alice, { room_version: version, name: "Old friends" });
    const path = `${client}/rooms/${encodeURIComponent(roomId)}`;
    const invited = await alice.post(`${path}/invite`, { user_id: peer.userId });
    const member = await alice.get(`${path}/state/m.room.member/${encodeURIComponent(peer.userId)}`);
    return [invited.status, member.body["membership"]];
  };
  t.strictSame(await invite("1"), [200, "invite"]);
  t.strictSame(await invite("2"), [200, "invite"]);
  t.match(signed, [{ unsigned: { invite_room_state: Array } }, {}]);
  t.strictSame(await invite("3"), [502, undefined]);
  t.equal(signed.length, 2);
});

t.test("makeJoin: another server is asked where one is gone, knows no room, or may not let in", async (t) => {
  const room = new PeerRoom(peer);
  room.proposesJoins();
  room.takesJoins((event) => ok(room.joinAnswer(event)));
  const gone = { name: "127.0.0.1:9" };
  const answers = [
    { status: 404, body: { errcode: "M_NOT_FOUND", error: "Unknown room" } },
    { status: 400, body: { errcode: "M_UNABLE_TO_GRANT_JOIN", error: "Nobody may" } },
    { status: 400, body: { errcode: "M_UNABLE_TO_AUTHORISE_JOIN", error: "Nobody knows" } },
    { status: 500, body: {} },
  ];
  for (const answer of answers) {
    second.answers.set(`${federation}/v1/make_join/`, () => answer);
    const refused = await join(room.roomId, second);
    t.equal(refused.body["errcode"], answer.body["errcode"] ?? "M_BAD_STATUS");
  }
  t.match(await join(room.roomId, gone), { status: 502, body: { errcode: "M_CONNECTION_FAILED" } });
  t.match(await join(`!${"a".repeat(43)}`), { status: 404, body: { errcode: "M_NOT_FOUND" } });
  const many = Array.from({ length: 30 }, (_, index) => ({ name: `127.0.0.1:${index + 1}` }));
  t.equal((await join(room.roomId, ...many, peer)).status, 502, "so many are not asked");
  const joined = await join(room.roomId, gone, second, peer);
  t.equal(joined.status, 200, JSON.stringify(joined.body));
});

t.test("sendJoinV2: of several who join a room at the same time one goes the long way", async (t) => {
  const room = new PeerRoom(peer);
  room.proposesJoins();
  room.takesJoins((event) => ok(room.joinAnswer(event)));
  const users = [alice, await registerUser(server, "bob"), await registerUser(server, "carol")];
  const path = `${client}/join/${room.path}?server_name=${encodeURIComponent(peer.name)}`;
  const joined = await Promise.all(users.map((user) => user.post(path, {})));
  t.strictSame(
    joined.map(({ status }) => status),
    [200, 200, 200],
  );
  t.equal(asked(peer, `/send_join/${room.path}`), 1);
  const members = await alice.get(`${client}/rooms/${room.path}/joined_members`);
  t.equal(Object.keys(members.body["joined"] as Json).length, 4);
});
