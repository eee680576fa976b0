import t from "tap";
import { anonymous } from "../support/client.ts";
import { joinByPeer, serverAndPeer } from "../support/federated-room.ts";
import { patienceMs, until } from "../support/within.ts";

const { alice, peer, server } = await serverAndPeer(t);
const created = await alice.post("/_matrix/client/v3/createRoom", {
  preset: "public_chat",
  room_version: "11",
  room_alias_name: "hall",
});
const roomId = created.body["room_id"] as string;
const room = encodeURIComponent(roomId);
const federation = "/_matrix/federation/v1";

async function send(body: string): Promise<string> {
  const answer = await alice.put(`/_matrix/client/v3/rooms/${room}/send/m.room.message/${body}`, {
    msgtype: "m.text",
    body,
  });
  return answer.body["event_id"] as string;
}

const first = await send("first");

t.test("requests of servers have to be signed, for this server", async (t) => {
  const uri = `${federation}/event/${encodeURIComponent(first)}`;
  const unsigned = await anonymous(server).get(uri);
  t.match([unsigned.status, unsigned.body["errcode"]], [401, "M_UNAUTHORIZED"]);
  const forged = await peer.request(server, "GET", uri, undefined, { sig: "A".repeat(86) });
  t.match([forged.status, forged.body["errcode"]], [401, "M_UNAUTHORIZED"]);
  const elsewhere = await peer.request(server, "GET", uri, undefined, { destination: "elsewhere.test" });
  t.match([elsewhere.status, elsewhere.body["errcode"]], [401, "M_UNAUTHORIZED"]);
});

t.test("getEvent, getRoomState: who is not in the room learns nothing", async (t) => {
  const event = await peer.request(server, "GET", `${federation}/event/${encodeURIComponent(first)}`);
  t.match([event.status, event.body["errcode"]], [403, "M_FORBIDDEN"]);
  const unknown = await peer.request(server, "GET", `${federation}/state/!nowhere:x?event_id=$x`);
  t.match([unknown.status, unknown.body["errcode"]], [404, "M_NOT_FOUND"]);
});

t.test("queryRoomDirectory finds the room of an alias", async (t) => {
  const alias = encodeURIComponent(`#hall:${server.name}`);
  const found = await peer.request(server, "GET", `${federation}/query/directory?room_alias=${alias}`);
  t.match(found.body, { room_id: roomId, servers: [server.name] });
  const none = encodeURIComponent(`#nothing:${server.name}`);
  const missing = await peer.request(server, "GET", `${federation}/query/directory?room_alias=${none}`);
  t.match([missing.status, missing.body["errcode"]], [404, "M_NOT_FOUND"]);
});

t.test("makeJoin: only for users of the asking server, and room versions that it knows", async (t) => {
  const path = (user: string, version: string) =>
    `${federation}/make_join/${room}/${encodeURIComponent(user)}?ver=${version}`;
  const other = await peer.request(server, "GET", path("@a:elsewhere.test", "11"));
  t.match([other.status, other.body["errcode"]], [403, "M_FORBIDDEN"]);
  const old = await peer.request(server, "GET", path(peer.userId, "9"));
  t.match(
    [old.status, old.body["errcode"], old.body["room_version"]],
    [400, "M_INCOMPATIBLE_ROOM_VERSION", "11"],
  );
});

t.test("makeKnock, sendKnock: a public room is not knocked on", async (t) => {
  const made = await peer.request(
    server,
    "GET",
    `${federation}/make_knock/${room}/${encodeURIComponent(peer.userId)}?ver=11`,
  );
  t.match([made.status, made.body["errcode"]], [403, "M_FORBIDDEN"]);
  const { id, pdu } = peer.event({
    room_id: roomId,
    type: "m.room.member",
    sender: peer.userId,
    content: {},
  });
  const uri = `${federation}/send_knock/${room}/${encodeURIComponent(id)}`;
  const sent = await peer.request(server, "PUT", uri, pdu);
  t.match([sent.status, sent.body["errcode"]], [400, "M_INVALID_PARAM"]);
});

t.test(
  "makeJoin, sendJoinV2, getEvent, getRoomState, getRoomStateIds, getEventAuth, backfillRoom, getMissingPreviousEvents",
  async (t) => {
    const joined = await peer.join(server, roomId);
    t.ok(joined.state.length >= 6);
    const second = await send("second");
    const third = await send("third");
    const get = (path: string) => peer.request(server, "GET", `${federation}${path}`);
    const event = await get(`/event/${encodeURIComponent(second)}`);
    t.match(event.body, { origin: server.name, pdus: [{ content: { body: "second" } }] });
    const at = `?event_id=${encodeURIComponent(second)}`;
    const ids = await get(`/state_ids/${room}${at}`);
    const state = await get(`/state/${room}${at}`);
    t.equal((ids.body["pdu_ids"] as unknown[]).length, (state.body["pdus"] as unknown[]).length);
    t.ok((ids.body["pdu_ids"] as unknown[]).includes(joined.joinId));
    const auth = await get(`/event_auth/${room}/${encodeURIComponent(second)}`);
    t.ok((auth.body["auth_chain"] as unknown[]).length >= 3);
    const history = await get(`/backfill/${room}?v=${encodeURIComponent(third)}&limit=3`);
    t.match(history.body["pdus"], [{ content: { body: "third" } }, { content: { body: "second" } }, {}]);
    const missing = await peer.request(server, "POST", `${federation}/get_missing_events/${room}`, {
      earliest_events: [joined.joinId],
      latest_events: [third],
      limit: 10,
    });
    t.match(missing.body["events"], [{ content: { body: "second" } }]);
    t.equal((missing.body["events"] as unknown[]).length, 1);
  },
);

t.test("getMissingPreviousEvents: all that an event follows comes first, however old", async (t) => {
  const { joinId, auth } = await joinByPeer(peer, server, alice, roomId);
  for (const body of ["one", "two", "three", "four", "five"]) await send(body);
  const branch = peer.event({
    room_id: roomId,
    type: "m.room.message",
    sender: peer.userId,
    content: { msgtype: "m.text", body: "a branch" },
    depth: 1,
    prev_events: [joinId],
    auth_events: auth,
  });
  const sent = await peer.request(server, "PUT", `${federation}/send/branch`, {
    origin: peer.name,
    origin_server_ts: Date.now(),
    pdus: [branch.pdu],
  });
  t.match(sent, { status: 200, body: { pdus: { [branch.id]: {} } } });
  const path = `/_matrix/client/v3/rooms/${room}/event/${encodeURIComponent(branch.id)}`;
  await until(patienceMs, "the branch", async () => (await alice.get(path)).status === 200);
  const { body } = await peer.request(server, "POST", `${federation}/get_missing_events/${room}`, {
    earliest_events: [joinId],
    latest_events: [await send("joins them")],
    limit: 3,
  });
  t.match(body["events"], [
    { content: { body: "a branch" } },
    { content: { body: "four" } },
    { content: { body: "five" } },
  ]);
});

t.test(
  "sendTransaction: what is wrong is refused, what is right is seen, what a user may not do is not",
  async (t) => {
    const { joinId, state, authChain } = await peer.join(server, roomId);
    const create = [...authChain, ...state].find(({ type }) => type === "m.room.create");
    t.ok(create);
    const auth = await peer.request(
      server,
      "GET",
      `${federation}/event_auth/${room}/${encodeURIComponent(joinId)}`,
    );
    t.equal(auth.status, 200);
    const fields = {
      room_id: roomId,
      type: "m.room.message",
      sender: peer.userId,
      content: { msgtype: "m.text", body: "from afar" },
      depth: 100,
      prev_events: [joinId],
      auth_events: [],
    };
    const { id, pdu } = peer.event(fields);
    const forged = { ...pdu, content: { msgtype: "m.text", body: "forged" }, signatures: {} };
    const put = (txnId: string, pdus: unknown[]) =>
      peer.request(server, "PUT", `${federation}/send/${txnId}`, {
        origin: peer.name,
        origin_server_ts: 1,
        pdus,
      });
    const answer = await put("one", [pdu, forged, { type: "nothing" }]);
    t.equal(answer.status, 200);
    t.ok(Object.hasOwn(answer.body["pdus"] as object, id));
    // Its auth events are missing: the rules do not let it in.
    const read = await alice.get(`/_matrix/client/v3/rooms/${room}/event/${encodeURIComponent(id)}`);
    t.equal(read.status, 404);
    t.equal(
      (
        await put(
          "too-many",
          Array.from({ length: 51 }, () => ({})),
        )
      ).status,
      400,
    );
  },
);

t.test("sendInviteV1, sendInviteV2: only real invites of real users are signed", async (t) => {
  const invite = peer.event({
    room_id: `!theirs:${peer.name}`,
    type: "m.room.member",
    sender: peer.userId,
    state_key: `@nobody:${server.name}`,
    content: { membership: "invite" },
    depth: 5,
    prev_events: ["$a"],
    auth_events: ["$b"],
  });
  const uri = (version: string) =>
    `/_matrix/federation/${version}/invite/${encodeURIComponent(`!theirs:${peer.name}`)}/${encodeURIComponent(invite.id)}`;
  const unknown = await peer.request(server, "PUT", uri("v2"), { event: invite.pdu, room_version: "11" });
  t.match([unknown.status, unknown.body["errcode"]], [404, "M_NOT_FOUND"]);
  const version = await peer.request(server, "PUT", uri("v2"), { event: invite.pdu, room_version: "99" });
  t.match([version.status, version.body["errcode"]], [400, "M_INCOMPATIBLE_ROOM_VERSION"]);
  const old = await peer.request(server, "PUT", uri("v1"), invite.pdu);
  t.equal(old.status, 400);
});
