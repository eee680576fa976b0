import t from "tap";
import { appserviceConfig, TestAppservice } from "../support/appservice.ts";
import { registerUser, type TestClient } from "../support/client.ts";
import { FakePeer } from "../support/fake-peer.ts";
import { startFederatedServers } from "../support/federated-servers.ts";
import { PushGateway, pusherBody, setPusher } from "../support/push-gateway.ts";
import { createRoom, join, moderate, queryOf, read, sync } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

// MSC4155: who may invite a user, and whose invites are not shown.

t.setTimeout(180_000);
const v3 = "/_matrix/client/v3";
const blocked = { status: 403, body: { errcode: "ORG.MATRIX.MSC4155.M_INVITE_BLOCKED" } };
const gateway = await PushGateway.start();
t.teardown(() => gateway[Symbol.asyncDispose]());
const server = await startServer(await gateway.config(t));
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server, "alice");
const eve = await registerUser(server, "eve");

async function configure(user: TestClient, config: object): Promise<void> {
  const type = "org.matrix.msc4155.invite_permission_config";
  await user.put(`${v3}/user/${user.userId}/account_data/${type}`, config, "setAccountData");
}

const privateRoom = (creator: TestClient, ...invited: TestClient[]) =>
  createRoom(creator, { preset: "private_chat", invite: invited.map(({ userId }) => userId) });

/** How many invites to rooms each way of following them shows. */
async function shownInvites(user: TestClient, since: string): Promise<Record<string, number>> {
  const invitesIn = (body: Record<string, unknown>) => {
    const rooms = body["rooms"] as { invite?: object } | undefined;
    return Object.keys(rooms?.invite ?? {}).length;
  };
  const list = { ranges: [[0, 9]], timeline_limit: 1, required_state: [] };
  const sliding = await user.post("/_matrix/client/unstable/org.matrix.simplified_msc3575/sync", {
    lists: { all: list },
  });
  const initial = await user.get(`${v3}/initialSync`, "initialSync");
  const events = await user.get(`${v3}/events${queryOf({ from: since, timeout: 0 })}`, "getEvents");
  return {
    initial: invitesIn((await sync(user)).body),
    incremental: invitesIn((await sync(user, { since })).body),
    sliding: (sliding.body["lists"] as { all: { count: number } }).all.count,
    initialSync: (initial.body["rooms"] as unknown[]).length,
    events: (events.body["chunk"] as { type: string }[]).filter(({ type }) => type === "m.room.member")
      .length,
  };
}

const everywhere = (count: number) => ({
  initial: count,
  incremental: count,
  sliding: count,
  initialSync: count,
  events: count,
});

t.test("getVersions: clients are told", async (t) => {
  const { body } = await alice.get("/_matrix/client/versions", "getVersions");
  t.match(body, { unstable_features: { "org.matrix.msc4155": true } });
});

t.test("inviteUser, setRoomStateWithKey, createRoom: who is blocked invites by no way", async (t) => {
  const bob = await registerUser(server);
  await configure(bob, { blocked_users: ["@ev?:*"] });
  const roomId = await createRoom(eve);
  const path = `${v3}/rooms/${encodeURIComponent(roomId)}`;
  const invite = () => eve.post(`${path}/invite`, { user_id: bob.userId }, "inviteUser");
  const set = (membership: string) =>
    eve.put(`${path}/state/m.room.member/${bob.userId}`, { membership }, "setRoomStateWithKey");
  t.match(await invite(), blocked);
  t.match(await set("invite"), blocked);
  t.match(await eve.post(`${v3}/createRoom`, { invite: [bob.userId] }, "createRoom"), blocked);
  t.equal((await read(eve, undefined, roomId, `state/m.room.member/${bob.userId}`)).status, 404);
  t.equal((await set("ban")).status, 200, "only invites are blocked");
  t.equal((await set("leave")).status, 200);
  await privateRoom(alice, bob);
  await configure(bob, { enabled: false, blocked_users: ["@ev?:*"] });
  t.equal((await invite()).status, 200, "it is switched off");
});

t.test("inviteUser: users come before servers, this one too", async (t) => {
  const bob = await registerUser(server);
  const path = `${v3}/rooms/${encodeURIComponent(await createRoom(alice))}/invite`;
  const invite = () => alice.post(path, { user_id: bob.userId }, "inviteUser");
  await configure(bob, { blocked_servers: ["hearth.test"] });
  t.match(await invite(), blocked);
  await configure(bob, { allowed_users: [alice.userId], blocked_servers: ["*"] });
  t.equal((await invite()).status, 200);
});

t.test("inviteUser: an invalid configuration filters nothing", async (t) => {
  for (const wrong of [
    { allowed_users: "x" },
    { ignored_servers: [1] },
    { blocked_users: { "@eve:x": {} } },
  ]) {
    const bob = await registerUser(server);
    await configure(bob, { blocked_servers: ["*"] });
    await configure(bob, { blocked_servers: ["*"], ...wrong });
    const path = `${v3}/rooms/${encodeURIComponent(await createRoom(alice))}/invite`;
    const { status } = await alice.post(path, { user_id: bob.userId }, "inviteUser");
    t.equal(status, 200, JSON.stringify(wrong));
  }
});

t.test("sync, initialSync, getEvents: ignored invites are taken and not shown", async (t) => {
  const bob = await registerUser(server);
  const since = (await sync(bob)).nextBatch;
  await configure(bob, { ignored_users: [eve.userId], blocked_users: ["*"] });
  const roomId = await privateRoom(eve, bob);
  t.same(await shownInvites(bob, since), everywhere(0));
  const member = await read(eve, "getRoomStateWithKey", roomId, `state/m.room.member/${bob.userId}`);
  t.match(member, { status: 200, body: { membership: "invite" } }, "the inviter cannot tell");
  await configure(bob, {});
  t.same(await shownInvites(bob, since), everywhere(1), "it is shown when it is ignored no longer");
  await configure(bob, { ignored_users: [eve.userId] });
  await join(bob, roomId);
  t.ok((await sync(bob)).find("join", roomId), "who knows of the room can join it");
});

t.test("sync, initialSync, getEvents: invites that came before go by the rules, too", async (t) => {
  const bob = await registerUser(server);
  const since = (await sync(bob)).nextBatch;
  await privateRoom(eve, bob);
  await privateRoom(alice, bob);
  t.same(await shownInvites(bob, since), everywhere(2));
  await configure(bob, { blocked_users: [eve.userId] });
  t.same(await shownInvites(bob, since), everywhere(1));
  await configure(bob, { ignored_servers: ["hearth.*"] });
  t.same(await shownInvites(bob, since), everywhere(0));
});

t.test("inviteUser: m.ignored_user_list comes first, default_action decides by itself", async (t) => {
  const bob = await registerUser(server);
  const put = (type: string, content: object) =>
    bob.put(`${v3}/user/${bob.userId}/account_data/${type}`, content, "setAccountData");
  const since = (await sync(bob)).nextBatch;
  await configure(bob, { blocked_users: [eve.userId] });
  await put("m.ignored_user_list", { ignored_users: { [eve.userId]: {} } });
  await privateRoom(eve, bob);
  t.same(await shownInvites(bob, since), everywhere(0), "ignored rather than blocked");
  await configure(bob, { allowed_users: ["*"] });
  t.same(await shownInvites(bob, since), everywhere(0), "who is ignored cannot be allowed again");
  await put("m.invite_permission_config", { default_action: "block" });
  const path = `${v3}/rooms/${encodeURIComponent(await createRoom(alice))}/invite`;
  const answer = await alice.post(path, { user_id: bob.userId }, "inviteUser");
  t.match(answer, { status: 403, body: { errcode: "M_INVITE_BLOCKED" } }, "nobody at all");
});

t.test("knockRoom, sync: knocks are not filtered", async (t) => {
  const bob = await registerUser(server);
  await configure(bob, { blocked_users: ["*"], ignored_servers: ["*"] });
  const rule = { type: "m.room.join_rules", state_key: "", content: { join_rule: "knock" } };
  const roomId = await createRoom(eve, { preset: "private_chat", initial_state: [rule] });
  const { status } = await bob.post(`${v3}/knock/${encodeURIComponent(roomId)}`, {}, "knockRoom");
  t.equal(status, 200);
  t.ok((await sync(bob)).find("knock", roomId));
});

t.test("notify: ignored invites notify nobody", async (t) => {
  const bob = await registerUser(server);
  await setPusher(bob, pusherBody(gateway.url, "bob"));
  await configure(bob, { ignored_users: [eve.userId] });
  await privateRoom(eve, bob);
  const roomId = await createRoom(alice, { preset: "private_chat" });
  await moderate(alice, roomId, "invite", bob.userId);
  const received = await gateway.until("bob", "the invite of alice", (all) =>
    all.some(({ sender }) => sender === alice.userId),
  );
  t.same(
    received.map(({ sender }) => sender),
    [alice.userId],
  );
});

t.test("sendTransaction: application services are told of every invite", async (t) => {
  const bridge = await TestAppservice.start();
  t.teardown(() => bridge.close());
  await using bridged = await startServer(await appserviceConfig(t, bridge));
  const ghost = await bridge.user(bridged, "_bridge_ghost");
  const carol = await registerUser(bridged);
  await configure(ghost, { ignored_users: ["*"] });
  const roomId = await privateRoom(carol, ghost);
  const member = await read(carol, undefined, roomId, "state/m.room.member/" + ghost.userId, {
    format: "event",
  });
  await bridge.event(String(member.body["event_id"]));
  t.ok(bridge.events.some(({ state_key: key, room_id: id }) => key === ghost.userId && id === roomId));
});

t.test("sendInviteV2: users of other servers are held to it by their server's name", async (t) => {
  await using servers = await startFederatedServers(1);
  const [home] = servers;
  if (!home) throw new Error("a server is needed");
  await using peer = await FakePeer.start(servers.tls);
  const bob = await registerUser(home);
  const roomId = `!theirs:${peer.name}`;
  const content = { membership: "invite" };
  const invite = () => {
    const sent = { room_id: roomId, type: "m.room.member", sender: peer.userId, state_key: bob.userId };
    const event = peer.event({ ...sent, content, depth: 5, prev_events: ["$a"], auth_events: ["$b"] });
    const uri = `/_matrix/federation/v2/invite/${encodeURIComponent(roomId)}/${encodeURIComponent(event.id)}`;
    return peer.request(home, "PUT", uri, { event: event.pdu, room_version: "11", invite_room_state: [] });
  };
  const host = peer.name.replace(/:[0-9]+$/, "");
  await configure(bob, { blocked_servers: [host] });
  t.match(await invite(), blocked);
  await configure(bob, { ignored_servers: [host] });
  t.equal((await invite()).status, 200);
  t.notOk((await sync(bob)).find("invite", roomId));
  await configure(bob, {});
  t.ok((await sync(bob)).find("invite", roomId));
});
