import t from "tap";
import { registerAdmin, registerUser, type TestClient } from "../support/client.ts";
import { createRoom as makeRoom, leave, read, redact, say, setState, sync } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const client = "/_matrix/client/v3";

async function createRoom(user: TestClient, body: object = {}): Promise<string> {
  const answer = await user.post(`${client}/createRoom`, body, "createRoom");
  if (answer.status !== 200) throw new Error(`createRoom answered ${JSON.stringify(answer.body)}`);
  return encodeURIComponent(String(answer.body["room_id"]));
}

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const bob = await registerUser(server, "bob");

t.test("createRoom makes rooms of every version and preset", async (t) => {
  for (let version = 1; version <= 12; version++) {
    for (const preset of ["private_chat", "trusted_private_chat", "public_chat"]) {
      const body = {
        room_version: String(version),
        preset,
        name: "Hall",
        topic: "Fire",
        invite: [bob.userId],
      };
      const roomId = decodeURIComponent(await createRoom(alice, body));
      t.match(roomId, version >= 12 ? /^![\w-]{43}$/ : /^!.+:hearth\.test$/, `version ${version}, ${preset}`);
    }
  }
});

t.test("createRoom makes as many rooms as are asked for at the same time", async (t) => {
  const rooms = await Promise.all(Array.from({ length: 20 }, () => createRoom(alice)));
  t.equal(new Set(rooms).size, 20);
});

t.test("createRoom: of two rooms with one alias only the first comes to be", async (t) => {
  const carol = await registerUser(server, "carol");
  const body = { room_alias_name: "contested", visibility: "public", invite: [bob.userId, bob.userId] };
  const create = () => carol.post(`${client}/createRoom`, body, "createRoom");
  const answers = await Promise.all([create(), create(), create()]);
  const made = answers.filter(({ status }) => status === 200).map(({ body: { room_id } }) => room_id);
  t.equal(made.length, 1);
  const refused = answers.filter(({ status }) => status !== 200).map(({ body: { errcode } }) => errcode);
  t.same(refused, ["M_ROOM_IN_USE", "M_ROOM_IN_USE"]);
  const joined = await carol.get(`${client}/joined_rooms`, "getJoinedRooms");
  t.same(joined.body["joined_rooms"], made);
  const alias = await bob.get(`${client}/directory/room/${encodeURIComponent("#contested:hearth.test")}`);
  t.equal(alias.body["room_id"], made[0]);
  const listed = await bob.get(`${client}/directory/list/room/${encodeURIComponent(String(made[0]))}`);
  t.equal(listed.body["visibility"], "public");
});

t.test("createRoom refuses what cannot be, and makes nothing then", async (t) => {
  const refused = async (body: object, errcode: string) => {
    const answer = await alice.post(`${client}/createRoom`, body, "createRoom");
    t.equal(answer.status, 400);
    t.equal(answer.body["errcode"], errcode, JSON.stringify(answer.body));
  };
  await refused({ room_version: "99" }, "M_UNSUPPORTED_ROOM_VERSION");
  await refused({ preset: "no_such" }, "M_BAD_JSON");
  await refused({ invite: ["not a user"] }, "M_INVALID_PARAM");
  await refused({ room_alias_name: "with:colon" }, "M_INVALID_PARAM");
  await refused({ power_level_content_override: { users: { [alice.userId]: 100 } } }, "M_INVALID_ROOM_STATE");
  await refused({ power_level_content_override: { ban: "fifty" } }, "M_INVALID_ROOM_STATE");
  await createRoom(alice, { room_alias_name: "taken" });
  await refused({ room_alias_name: "taken" }, "M_ROOM_IN_USE");
});

t.test("sendMessage is idempotent in its transaction ID, and only for members", async (t) => {
  const room = await createRoom(alice);
  const message = { msgtype: "m.text", body: "hello" };
  const send = (user: TestClient, txn: string) =>
    user.put(`${client}/rooms/${room}/send/m.room.message/${txn}`, message, "sendMessage");
  const first = await send(alice, "1");
  t.equal(first.status, 200);
  t.same((await send(alice, "1")).body, first.body);
  t.notSame((await send(alice, "2")).body, first.body);
  const refused = await send(bob, "1");
  t.equal(refused.status, 403);
  t.equal(refused.body["errcode"], "M_FORBIDDEN");
  const wrong = await alice.put(`${client}/rooms/${room}/send/m.room.message/3`, [], "sendMessage");
  t.equal(wrong.body["errcode"], "M_BAD_JSON");
  const large = { ...message, body: "x".repeat(70_000) };
  const tooLarge = await alice.put(`${client}/rooms/${room}/send/m.room.message/4`, large, "sendMessage");
  t.equal(tooLarge.status, 413);
});

t.test(
  "inviteUser, joinRoomById, leaveRoom, forgetRoom: a member's way through a private room",
  async (t) => {
    const room = await createRoom(alice);
    const join = () => bob.post(`${client}/rooms/${room}/join`, {}, "joinRoomById");
    t.equal((await join()).status, 403);
    const invite = await alice.post(`${client}/rooms/${room}/invite`, { user_id: bob.userId }, "inviteUser");
    t.equal(invite.status, 200);
    t.equal((await join()).status, 200);
    t.equal((await join()).status, 200, "joining twice changes nothing");
    const early = await bob.post(`${client}/rooms/${room}/forget`, {}, "forgetRoom");
    t.equal(early.status, 400);
    t.equal((await bob.post(`${client}/rooms/${room}/leave`, {}, "leaveRoom")).status, 200);
    t.equal((await bob.post(`${client}/rooms/${room}/forget`, {}, "forgetRoom")).status, 200);
    const bad = await alice.post(`${client}/rooms/${room}/invite`, { user_id: "bob" }, "inviteUser");
    t.equal(bad.body["errcode"], "M_INVALID_PARAM");
  },
);

t.test("forgetRoom, sync: a forgotten room is not heard of again until its user is let in", async (t) => {
  const user = await registerUser(server);
  const roomId = await makeRoom(alice, {}, user);
  await leave(user, roomId);
  let since = (await sync(user)).nextBatch;
  const path = `${client}/rooms/${encodeURIComponent(roomId)}`;
  t.equal((await user.post(`${path}/forget`, {}, "forgetRoom")).status, 200);
  for (const action of ["ban", "unban", "invite"]) {
    const changed = await alice.post(`${path}/${action}`, { user_id: user.userId });
    t.equal(changed.status, 200);
    const answer = await sync(user, { since });
    t.equal(answer.hasRooms, action === "invite", action);
    since = answer.nextBatch;
  }
});

t.test("kick, ban and unban take the power to do so", async (t) => {
  const room = await createRoom(alice, { preset: "public_chat" });
  t.equal((await bob.post(`${client}/join/${room}`, {}, "joinRoom")).status, 200);
  const body = { user_id: alice.userId, reason: "no" };
  for (const action of ["kick", "ban", "unban"]) {
    const refused = await bob.post(`${client}/rooms/${room}/${action}`, body, action);
    t.equal(refused.status, 403, action);
  }
  const target = { user_id: bob.userId, reason: "noise" };
  const notBanned = await alice.post(`${client}/rooms/${room}/unban`, target, "unban");
  t.equal(notBanned.status, 403);
  t.equal(notBanned.body["errcode"], "M_BAD_STATE");
  t.equal((await alice.post(`${client}/rooms/${room}/ban`, target, "ban")).status, 200);
  t.equal((await bob.post(`${client}/join/${room}`, {}, "joinRoom")).status, 403);
  t.equal((await alice.post(`${client}/rooms/${room}/unban`, target, "unban")).status, 200);
  t.equal((await bob.post(`${client}/join/${room}`, {}, "joinRoom")).status, 200);
  t.equal((await alice.post(`${client}/rooms/${room}/kick`, target, "kick")).status, 200);
  const gone = await alice.post(`${client}/rooms/${room}/kick`, target, "kick");
  t.equal(gone.status, 403);
});

t.test("knockRoom asks for an invite where the room allows it", async (t) => {
  const rules = { type: "m.room.join_rules", state_key: "", content: { join_rule: "knock" } };
  const room = await createRoom(alice, { initial_state: [rules] });
  t.equal((await bob.post(`${client}/knock/${room}`, { reason: "please" }, "knockRoom")).status, 200);
  t.equal((await bob.post(`${client}/join/${room}`, {}, "joinRoom")).status, 403);
  await alice.post(`${client}/rooms/${room}/invite`, { user_id: bob.userId }, "inviteUser");
  t.equal((await bob.post(`${client}/join/${room}`, {}, "joinRoom")).status, 200);
  const closed = await createRoom(alice);
  t.equal((await bob.post(`${client}/knock/${closed}`, {}, "knockRoom")).status, 403);
});

t.test("joinRoom lets members of an allowed room into a restricted one", async (t) => {
  const lobby = await createRoom(alice, { preset: "public_chat" });
  const allow = [{ type: "m.room_membership", room_id: decodeURIComponent(lobby) }];
  const rules = { type: "m.room.join_rules", state_key: "", content: { join_rule: "restricted", allow } };
  const room = await createRoom(alice, { initial_state: [rules] });
  t.equal((await bob.post(`${client}/join/${room}`, {}, "joinRoom")).status, 403);
  await bob.post(`${client}/join/${lobby}`, {});
  t.equal((await bob.post(`${client}/join/${room}`, {}, "joinRoom")).status, 200);
});

t.test("setRoomStateWithKey: nobody in a restricted room has to say again who let them in", async (t) => {
  const hall = await createRoom(alice, { preset: "public_chat" });
  const allow = [{ type: "m.room_membership", room_id: decodeURIComponent(hall) }];
  const rules = { type: "m.room.join_rules", state_key: "", content: { join_rule: "restricted", allow } };
  const room = await createRoom(alice, { initial_state: [rules] });
  for (const id of [hall, room]) await bob.post(`${client}/join/${id}`, {});
  const member = { membership: "join", displayname: "Bobby" };
  const path = `${client}/rooms/${room}/state/m.room.member/${encodeURIComponent(bob.userId)}`;
  const content = { ...member, join_authorised_via_users_server: "unused" };
  t.equal((await bob.put(path, content, "setRoomStateWithKey")).status, 200);
  t.strictSame((await bob.get(path, "getRoomStateWithKey")).body, member);
});

t.test("joinRoom, joinRoomById: the member event has what else the client says", async (t) => {
  const room = await createRoom(alice, { preset: "public_chat" });
  const extra = { foo: "bar", membership: "ban", join_authorised_via_users_server: alice.userId };
  const member = `${client}/rooms/${room}/state/m.room.member/${encodeURIComponent(bob.userId)}`;
  for (const [path, operationId] of [
    [`${client}/join/${room}`, "joinRoom"],
    [`${client}/rooms/${room}/join`, "joinRoomById"],
  ] as const) {
    t.equal((await bob.post(path, { ...extra, reason: "why not" }, operationId)).status, 200);
    const { body } = await bob.get(member, "getRoomStateWithKey");
    t.match(body, { membership: "join", foo: "bar", reason: "why not" });
    t.notOk("join_authorised_via_users_server" in body);
    await bob.post(`${client}/rooms/${room}/leave`, {}, "leaveRoom");
  }
  t.equal((await bob.post(`${client}/join/${room}`, { foo: 1.5 })).status, 400);
});

t.test("joinRoom: into a restricted room somebody lets others who may invite", async (t) => {
  const lobby = await makeRoom(alice, {}, bob);
  const allow = [{ type: "m.room_membership", room_id: lobby }];
  for (const join_rule of ["restricted", "knock_restricted"]) {
    const [carol, dave] = [await registerUser(server), await registerUser(server)];
    const rules = { type: "m.room.join_rules", state_key: "", content: { join_rule, allow } };
    const users = { [alice.userId]: 100, [dave.userId]: 50, "@x:elsewhere.test": 70 };
    const override = { invite: 50, users };
    const body = { room_version: "10", power_level_content_override: override, initial_state: [rules] };
    const roomId = await makeRoom(alice, { ...body, invite: [carol.userId, dave.userId] }, carol, dave);
    const join = () => bob.post(`${client}/join/${encodeURIComponent(roomId)}`, {}, "joinRoom");
    await leave(alice, roomId);
    t.equal((await join()).status, 200);
    const member = await read(bob, "getRoomStateWithKey", roomId, `state/m.room.member/${bob.userId}`);
    t.equal(member.body["join_authorised_via_users_server"], dave.userId, "carol may not invite");
    await bob.put(`${client}/profile/${bob.userId}/displayname`, { displayname: `Bob of ${join_rule}` });
    const renamed = await read(bob, "getRoomStateWithKey", roomId, `state/m.room.member/${bob.userId}`);
    t.same(renamed.body, { membership: "join", displayname: `Bob of ${join_rule}` });
    await leave(bob, roomId);
    await leave(dave, roomId);
    const refused = await join();
    t.equal(refused.status, 400);
    t.equal(refused.body["errcode"], "M_UNABLE_TO_GRANT_JOIN");
  }
});

t.test("setRoomStateWithKey: what no permission would allow is a bad request", async (t) => {
  for (const version of ["10", "11", "12"]) {
    const room = await createRoom(alice, { room_version: version });
    const put = (type: string, content: object) =>
      alice.put(`${client}/rooms/${room}/state/${type}`, content, "setRoomStateWithKey");
    const again = await put("m.room.create", { room_version: version, entropy: 100 });
    t.match(again, { status: 400, body: { errcode: "M_INVALID_PARAM" } });
    const levels = await put("m.room.power_levels", { users: { [alice.userId]: "100" } });
    t.match(levels, { status: 400, body: { errcode: "M_INVALID_PARAM" } });
    const own = await put("m.room.power_levels", { users: { [alice.userId]: 100 } });
    if (version === "12") t.match(own, { status: 400, body: { errcode: "M_INVALID_PARAM" } });
    else t.equal(own.status, 200);
  }
});

t.test("setRoomStateWithKey sets state, with an empty key in either spelling", async (t) => {
  const room = await createRoom(alice);
  const put = (path: string, body: object) =>
    alice.put(`${client}/rooms/${room}/state/${path}`, body, "setRoomStateWithKey");
  const first = await put("m.room.name", { name: "One" });
  t.equal(first.status, 200);
  t.same(
    (await put("m.room.name/", { name: "One" })).body,
    first.body,
    "the same state again is the same event",
  );
  t.equal((await put("org.example.thing/key", { a: 1 })).status, 200);
  t.equal((await put("org.example.thing/key", { a: 1.5 })).body["errcode"], "M_BAD_JSON");
  const alias = await put("m.room.canonical_alias", { alias: "#nowhere:hearth.test" });
  t.equal(alias.body["errcode"], "M_BAD_ALIAS");
  const list = await put("m.room.canonical_alias", { alt_aliases: "#hall:hearth.test" });
  t.equal(list.body["errcode"], "M_INVALID_PARAM");
});

t.test("redactEvent takes away one's own events, and others' with power", async (t) => {
  const room = await createRoom(alice, { preset: "public_chat" });
  await bob.post(`${client}/join/${room}`, {});
  const send = async (user: TestClient) => {
    const path = `${client}/rooms/${room}/send/m.room.message/${user.userId}`;
    return encodeURIComponent(
      String((await user.put(path, { body: "x", msgtype: "m.text" })).body["event_id"]),
    );
  };
  const [fromAlice, fromBob] = [await send(alice), await send(bob)];
  const redactIn = (user: TestClient, event: string, txn: string) =>
    user.put(`${client}/rooms/${room}/redact/${event}/${txn}`, { reason: "r" }, "redactEvent");
  t.equal((await redactIn(bob, fromAlice, "1")).status, 403);
  t.equal((await redactIn(bob, fromBob, "2")).status, 200);
  t.equal((await redactIn(alice, fromAlice, "1")).status, 200);
  t.equal((await redactIn(alice, encodeURIComponent("$none"), "2")).status, 404);
});

t.test("redactEvent: what makes the room what it is stays", async (t) => {
  const roomId = await makeRoom(alice, { room_version: "10" });
  const path = `${client}/rooms/${encodeURIComponent(roomId)}`;
  const acl = await setState(alice, roomId, "m.room.server_acl", { allow: ["*"] });
  const create = await alice.get(`${path}/state/m.room.create/?format=event`);
  for (const eventId of [acl, String(create.body["event_id"])]) {
    const refused = await alice.put(`${path}/redact/${encodeURIComponent(eventId)}/${eventId}`, {});
    t.equal(refused.status, 403);
    t.equal(refused.body["errcode"], "M_FORBIDDEN");
  }
});

t.test("redactEvent: administrators of the server take away what its users have sent", async (t) => {
  const admin = await registerAdmin(server);
  const roomId = await makeRoom(alice, {}, bob, admin);
  const eventId = await say(bob, roomId, "spam");
  await redact(admin, roomId, eventId);
  const event = await read(alice, "getOneRoomEvent", roomId, `event/${encodeURIComponent(eventId)}`);
  t.same(event.body["content"], {});
});

t.test("redactEvent: a transaction ID is for one event", async (t) => {
  const roomId = await makeRoom(alice);
  const [one, other] = [await say(alice, roomId, "1"), await say(alice, roomId, "2")];
  const path = `${client}/rooms/${encodeURIComponent(roomId)}`;
  const redactIn = (eventId: string) =>
    alice.put(`${path}/redact/${encodeURIComponent(eventId)}/once`, {}, "redactEvent");
  const [first, second] = [await redactIn(one), await redactIn(other)];
  t.not(first.body["event_id"], second.body["event_id"], "another path is another request");
  t.same((await redactIn(one)).body, first.body);
  t.same((await redactIn(other)).body, second.body);
  const [left, right] = await Promise.all([redactIn(other), redactIn(one)]);
  t.same([left.body, right.body], [second.body, first.body]);
  const sent = await alice.put(`${path}/send/m.room.redaction/once`, { redacts: one }, "sendMessage");
  t.not(sent.body["event_id"], first.body["event_id"]);
});

t.test("setRoomAlias, getRoomIdByAlias, getLocalAliases, deleteRoomAlias and the directory", async (t) => {
  const room = await createRoom(alice, { preset: "public_chat" });
  const alias = encodeURIComponent("#hall:hearth.test");
  const body = { room_id: decodeURIComponent(room) };
  const path = `${client}/directory/room/${alias}`;
  t.equal((await bob.put(path, body, "setRoomAlias")).status, 403);
  t.equal((await alice.put(path, body, "setRoomAlias")).status, 200);
  t.equal((await alice.put(path, body, "setRoomAlias")).status, 409);
  t.equal((await bob.get(path, "getRoomIdByAlias")).body["room_id"], body.room_id);
  t.same((await alice.get(`${client}/rooms/${room}/aliases`, "getLocalAliases")).body["aliases"], [
    "#hall:hearth.test",
  ]);
  t.equal((await bob.post(`${client}/join/${alias}`, {}, "joinRoom")).body["room_id"], body.room_id);
  t.equal((await bob.delete(path, undefined, "deleteRoomAlias")).status, 403);
  t.equal((await alice.delete(path, undefined, "deleteRoomAlias")).status, 200);
  t.equal((await bob.get(path, "getRoomIdByAlias")).status, 404);
  const list = `${client}/directory/list/room/${room}`;
  t.equal((await alice.put(list, { visibility: "public" }, "setRoomVisibilityOnDirectory")).status, 200);
  t.equal((await bob.get(list, "getRoomVisibilityOnDirectory")).body["visibility"], "public");
  t.equal((await bob.put(list, { visibility: "private" }, "setRoomVisibilityOnDirectory")).status, 403);
});

t.test("deleteRoomAlias: the room's own list loses it too, where the user may change that", async (t) => {
  const roomId = await makeRoom(alice, { room_alias_name: "main" }, bob);
  const other = "#other:hearth.test";
  const remove = (user: TestClient, alias: string) =>
    user.delete(`${client}/directory/room/${encodeURIComponent(alias)}`, undefined, "deleteRoomAlias");
  const add = (user: TestClient, alias: string) =>
    user.put(`${client}/directory/room/${encodeURIComponent(alias)}`, { room_id: roomId }, "setRoomAlias");
  const listed = async () => (await read(alice, undefined, roomId, "state/m.room.canonical_alias/")).body;
  t.equal((await add(bob, other)).status, 200);
  t.equal((await remove(bob, other)).status, 200, "not everything that exists is in the list");
  t.equal((await add(bob, other)).status, 200);
  const content = { alias: "#main:hearth.test", alt_aliases: [other], "org.example.note": "kept" };
  const path = `${client}/rooms/${encodeURIComponent(roomId)}/state/m.room.canonical_alias`;
  t.equal((await alice.put(path, content, "setRoomStateWithKey")).status, 200);
  t.equal((await remove(bob, other)).status, 200, "bob made it");
  t.same(await listed(), content, "and may not change the list");
  t.equal((await add(alice, other)).status, 200);
  t.equal((await remove(alice, other)).status, 200);
  t.same(await listed(), { alias: "#main:hearth.test", "org.example.note": "kept" });
  t.equal((await remove(alice, "#main:hearth.test")).status, 200);
  t.same(await listed(), { "org.example.note": "kept" });
});

t.test("createRoom: why people are invited (MSC4491)", async (t) => {
  const reasonOf = async (inviteReason: string | undefined) => {
    const body = { invite: [bob.userId], "uk.timedout.msc4491.invite_reason": inviteReason, is_direct: true };
    const { body: created } = await alice.post("/_matrix/client/v3/createRoom", body, "createRoom");
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(String(created["room_id"]))}`;
    const member = await alice.get(`${path}/state/m.room.member/${bob.userId}`, "getRoomStateWithKey");
    t.match(member.body, { membership: "invite", is_direct: true });
    return member.body["reason"];
  };
  t.equal(await reasonOf("Let us talk"), "Let us talk");
  t.equal(await reasonOf(""), undefined);
  t.equal(await reasonOf(undefined), undefined);
  const wrong = await alice.post("/_matrix/client/v3/createRoom", {
    "uk.timedout.msc4491.invite_reason": 5,
  });
  t.match(wrong, { status: 400, body: { errcode: "M_BAD_JSON" } });
});
