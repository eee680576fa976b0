import t from "tap";
import { login, registerAdmin, registerUser, TestClient } from "../support/client.ts";
import { join, leave, type Json, setState, sync } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const noticeConfig = { localpart: "notices", display_name: "The office", room_name: "From the office" };
const server = await startServer({ server_notices: noticeConfig });
t.teardown(() => server[Symbol.asyncDispose]());
const admin = await registerAdmin(server);
const path = "/_synapse/admin/v1/send_server_notice";
const client = "/_matrix/client/v3";
const text = (body: string) => ({ msgtype: "m.text", body });

async function notify(user: TestClient, content: Json = text("Hello"), rest: Json = {}): Promise<string> {
  const { status, body } = await admin.post(path, { user_id: user.userId, content, ...rest });
  if (status !== 200) throw new Error(`the notice was refused: ${JSON.stringify(body)}`);
  return String(body["event_id"]);
}

/** The room to which the server invites a user. */
async function invitedTo(user: TestClient): Promise<string> {
  const { body } = await sync(user);
  const invited = Object.keys((body["rooms"] as Record<string, Json> | undefined)?.["invite"] ?? {});
  if (invited.length !== 1) throw new Error(`invited to ${invited.length} rooms`);
  return String(invited[0]);
}

function stateOf(user: TestClient, roomId: string, type: string) {
  return user.get(`${client}/rooms/${encodeURIComponent(roomId)}/state/${type}`);
}

t.test(
  "adminSendServerNotice: a user is invited to a room of their own, with the tag by which clients know it",
  async (t) => {
    const alice = await registerUser(server);
    const first = await notify(alice, text("first"));
    const roomId = await invitedTo(alice);
    const { body } = await sync(alice);
    const invites = (body["rooms"] as { invite: Record<string, { invite_state: { events: Json[] } }> })
      .invite;
    const members = invites[roomId]?.invite_state.events.filter(({ state_key: key }) => key === alice.userId);
    t.match(members, [{ sender: "@notices:hearth.test", content: { membership: "invite" } }]);
    await join(alice, roomId);
    const second = await notify(alice, text("second"));
    const room = (await sync(alice)).room("join", roomId);
    t.match(
      room.account_data.events.find(({ type }) => type === "m.tag"),
      { content: { tags: { "m.server_notice": {} } } },
    );
    const messages = room.timeline.events.filter(({ type }) => type === "m.room.message");
    t.strictSame(
      messages.map(({ event_id: id, sender }) => [id, sender]),
      [
        [first, "@notices:hearth.test"],
        [second, "@notices:hearth.test"],
      ],
      "one room for all notices",
    );
    t.match((await stateOf(alice, roomId, "m.room.name")).body, { name: "From the office" });
    const profile = await alice.get(`${client}/profile/@notices:hearth.test`);
    t.match(profile.body, { displayname: "The office" });
  },
);

t.test("the user reads, and no more", async (t) => {
  const [alice, bob] = [await registerUser(server), await registerUser(server)];
  await notify(alice);
  const roomId = await invitedTo(alice);
  await join(alice, roomId);
  const room = `${client}/rooms/${encodeURIComponent(roomId)}`;
  t.equal((await alice.put(`${room}/send/m.room.message/1`, text("Hi"))).status, 403);
  t.equal((await alice.post(`${room}/invite`, { user_id: bob.userId })).status, 403);
  await t.rejects(setState(alice, roomId, "m.room.name", { name: "Mine" }));
});

t.test(
  "leaveRoom: the invite cannot be refused; who has joined may leave, and is invited again",
  async (t) => {
    const alice = await registerUser(server);
    await notify(alice);
    const roomId = await invitedTo(alice);
    const refuse = () => alice.post(`${client}/rooms/${encodeURIComponent(roomId)}/leave`, {}, "leaveRoom");
    const refused = await refuse();
    t.equal(refused.status, 403);
    t.match(refused.body, { errcode: "M_CANNOT_LEAVE_SERVER_NOTICE_ROOM" });
    t.equal(await invitedTo(alice), roomId);
    await join(alice, roomId);
    await leave(alice, roomId);
    await notify(alice, text("Come back"));
    t.equal(await invitedTo(alice), roomId);
  },
);

t.test("usage limits are pinned, and told apart from what lacks something", async (t) => {
  const alice = await registerUser(server);
  const limit = {
    msgtype: "m.server_notice",
    body: "Full",
    server_notice_type: "m.server_notice.usage_limit_reached",
    admin_contact: "mailto:admin@hearth.test",
    limit_type: "monthly_active_user",
  };
  const first = await notify(alice, limit);
  const roomId = await invitedTo(alice);
  await join(alice, roomId);
  await notify(alice, { msgtype: "m.server_notice", body: "x", server_notice_type: "org.example.other" });
  const pinned = async () => (await stateOf(alice, roomId, "m.room.pinned_events")).body["pinned"];
  t.strictSame(await pinned(), [first]);
  const ids = [first];
  for (let n = 0; n < 10; n++) ids.push(await notify(alice, { ...limit, body: `Full ${n}` }));
  t.strictSame(await pinned(), ids.slice(1));
  await notify(alice, { pinned: [] }, { type: "m.room.pinned_events", state_key: "" });
  t.strictSame(await pinned(), [], "the limit no longer holds");
  for (const key of ["body", "server_notice_type", "admin_contact", "limit_type"]) {
    const content: Json = { ...limit };
    delete content[key];
    const answer = await admin.post(path, { user_id: alice.userId, content });
    t.equal(answer.body["errcode"], "M_BAD_JSON", `without ${key}`);
  }
});

t.test("adminSendServerNoticeOnce: a repeated request sends one notice", async (t) => {
  const alice = await registerUser(server);
  const send = () => admin.put(`${path}/txn1`, { user_id: alice.userId, content: text("once") });
  const ids = [await send(), await send(), ...(await Promise.all([send(), send()]))].map(
    ({ body }) => body["event_id"],
  );
  t.equal(new Set(ids).size, 1);
  t.type(ids[0], "string");
  const other = await admin.put(`${path}/txn2`, { user_id: alice.userId, content: text("once") });
  t.not(other.body["event_id"], ids[0]);
});

t.test("two notices at once make one room; so do notices before and after a restart", async (t) => {
  const alice = await registerUser(server);
  await Promise.all([notify(alice, text("a")), notify(alice, text("b")), notify(alice, text("c"))]);
  const roomId = await invitedTo(alice);
  await server.restart();
  await notify(alice, text("d"));
  t.equal(await invitedTo(alice), roomId);
  await join(alice, roomId);
  t.strictSame(new Set((await sync(alice)).bodies(roomId)), new Set(["a", "b", "c", "d"]));
});

t.test("notices reach those who take no invites from others", async (t) => {
  const configs = {
    "m.invite_permission_config": { default_action: "block" },
    "org.matrix.msc4155.invite_permission_config": { ignored_servers: ["*"] },
  };
  for (const [type, config] of Object.entries(configs)) {
    const alice = await registerUser(server);
    await alice.put(`${client}/user/${alice.userId}/account_data/${type}`, config);
    await notify(alice);
    const { body } = await sync(alice);
    const joined = Object.keys((body["rooms"] as Record<string, Json>)["join"] ?? {});
    t.equal(joined.length, 1, "they would not see an invite");
  }
});

t.test("what is refused", async (t) => {
  const alice = await registerUser(server);
  const cases: [object, number, string][] = [
    [{}, 400, "M_BAD_JSON"],
    [{ user_id: alice.userId }, 400, "M_BAD_JSON"],
    [{ user_id: alice.userId, content: "text" }, 400, "M_BAD_JSON"],
    [{ user_id: "alice", content: text("x") }, 400, "M_INVALID_PARAM"],
    [{ user_id: "@nobody:hearth.test", content: text("x") }, 404, "M_NOT_FOUND"],
    [{ user_id: "@alice:elsewhere.test", content: text("x") }, 404, "M_NOT_FOUND"],
    [{ user_id: "@notices:hearth.test", content: text("x") }, 404, "M_NOT_FOUND"],
  ];
  for (const [body, status, errcode] of cases) {
    const answer = await admin.post(path, body);
    t.equal(answer.status, status, JSON.stringify(body));
    t.equal(answer.body["errcode"], errcode);
  }
  const byUser = await alice.post(path, { user_id: alice.userId, content: text("x") });
  t.match(byUser.body, { errcode: "M_FORBIDDEN" });
  await t.rejects(login(server, "notices"), "nobody signs in as the server");
});

t.test("where users are in the room at once", async (t) => {
  await using other = await startServer({ server_notices: { localpart: "notices", auto_join: true } });
  const office = await registerAdmin(other);
  const alice = await registerUser(other);
  const notice = { user_id: alice.userId, content: text("Hello") };
  t.equal((await office.post(path, notice)).status, 200);
  const { body } = await sync(alice);
  t.equal(Object.keys((body["rooms"] as Record<string, Json>)["join"] ?? {}).length, 1);
});

t.test("another sender writes in a room of their own, one with another name in the same room", async (t) => {
  await using first = await startServer({ server_notices: noticeConfig });
  const office = await registerAdmin(first);
  const alice = await registerUser(first);
  const notice = { user_id: alice.userId, content: text("Hello") };
  t.equal((await office.post(path, notice)).status, 200);
  const roomId = await invitedTo(alice);
  await join(alice, roomId);
  const renamed = { ...noticeConfig, display_name: "The new office" };
  await using second = await startServer({ data_dir: first.folder, server_notices: renamed });
  t.equal((await new TestClient(second, office).post(path, notice)).status, 200);
  const member = `${client}/rooms/${encodeURIComponent(roomId)}/state/m.room.member/@notices:hearth.test`;
  t.match((await new TestClient(second, alice).get(member)).body, { displayname: "The new office" });
  await using third = await startServer({ data_dir: first.folder, server_notices: { localpart: "board" } });
  t.equal((await new TestClient(third, office).post(path, notice)).status, 200);
  t.not(await invitedTo(new TestClient(third, alice)), roomId);
});

t.test(
  "a server without notices says so; one whose sender's name is somebody's does not start",
  async (t) => {
    await using other = await startServer();
    const office = await registerAdmin(other);
    const alice = await registerUser(other, "notices");
    const notice = { user_id: alice.userId, content: text("Hello") };
    t.match((await office.post(path, notice)).body, { errcode: "M_UNKNOWN", error: /server_notices/ });
    await t.rejects(startServer({ data_dir: other.folder, server_notices: noticeConfig }), {
      name: "StartupError",
      message: /@notices:hearth\.test/,
    });
  },
);
