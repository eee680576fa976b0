import t from "tap";
import { registerUser, type TestClient } from "../support/client.ts";
import { createRoom, join, read, sync } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const v3 = "/_matrix/client/v3";
const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());
const alice = await registerUser(server);

function configure(user: TestClient, config: object) {
  return user.put(`${v3}/user/${user.userId}/account_data/m.invite_permission_config`, config);
}

t.test("inviteUser, setRoomStateWithKey: who blocks invites cannot be invited", async (t) => {
  const bob = await registerUser(server);
  const roomId = await createRoom(alice);
  const path = `${v3}/rooms/${encodeURIComponent(roomId)}`;
  const invite = () => alice.post(`${path}/invite`, { user_id: bob.userId }, "inviteUser");
  const set = (membership: string) =>
    alice.put(`${path}/state/m.room.member/${bob.userId}`, { membership }, "setRoomStateWithKey");
  await configure(bob, { default_action: "block" });
  for (const answer of [await invite(), await set("invite")]) {
    t.equal(answer.status, 403);
    t.equal(answer.body["errcode"], "M_INVITE_BLOCKED");
  }
  const member = await read(alice, undefined, roomId, `state/m.room.member/${bob.userId}`);
  t.equal(member.status, 404, "nothing has come of it");
  t.equal((await set("ban")).status, 200, "only invites are blocked");
  t.equal((await set("leave")).status, 200);
  await join(bob, roomId);
  t.equal((await read(alice, undefined, roomId, `state/m.room.member/${bob.userId}`)).status, 200);
});

t.test("inviteUser: anything but block is a wish to be invited", async (t) => {
  for (const config of [
    { default_action: "block" },
    {},
    { default_action: "allow" },
    { default_action: 1 },
  ]) {
    const bob = await registerUser(server);
    await configure(bob, { default_action: "block" });
    await configure(bob, config);
    const path = `${v3}/rooms/${encodeURIComponent(await createRoom(alice))}/invite`;
    const { status } = await alice.post(path, { user_id: bob.userId }, "inviteUser");
    t.equal(status, config.default_action === "block" ? 403 : 200, JSON.stringify(config));
  }
});

t.test("createRoom: no room comes to be for somebody who blocks invites", async (t) => {
  const carol = await registerUser(server);
  const bob = await registerUser(server);
  await configure(bob, { default_action: "block" });
  const answer = await carol.post(`${v3}/createRoom`, { invite: [alice.userId, bob.userId] }, "createRoom");
  t.equal(answer.status, 403);
  t.equal(answer.body["errcode"], "M_INVITE_BLOCKED");
  t.same((await carol.get(`${v3}/joined_rooms`)).body["joined_rooms"], []);
});

t.test("sync: invites are not shown to who blocks them, and are when that ends", async (t) => {
  const bob = await registerUser(server);
  const early = await createRoom(alice, { preset: "private_chat", invite: [bob.userId] });
  const since = (await sync(bob)).nextBatch;
  const late = await createRoom(alice, { preset: "private_chat", invite: [bob.userId] });
  const shown = async (query: object = {}) => {
    const answer = await sync(bob, { ...query });
    return [early, late].map((roomId) => answer.find("invite", roomId) !== undefined);
  };
  const slidingPath = "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync";
  const count = async () => {
    const list = { ranges: [[0, 9]], timeline_limit: 1, required_state: [] };
    const { body } = await bob.post(slidingPath, { lists: { all: list } });
    return (body["lists"] as { all: { count: number } }).all.count;
  };
  t.same(await shown(), [true, true]);
  t.equal(await count(), 2);
  await configure(bob, { default_action: "block" });
  t.same(await shown(), [false, false]);
  t.same(await shown({ since }), [false, false]);
  t.equal(await count(), 0);
  await configure(bob, {});
  t.same(await shown(), [true, true]);
  t.same(await shown({ since }), [false, true]);
  t.equal(await count(), 2);
});

t.test("inviteUser: public rooms alone do not make an acquaintance (MSC4494)", async (t) => {
  const [bob, carol] = [await registerUser(server), await registerUser(server)];
  await configure(bob, { default_action: "uk.timedout.msc4494.deny_public" });
  const target = await createRoom(carol);
  const invite = () =>
    carol.post(`${v3}/rooms/${encodeURIComponent(target)}/invite`, { user_id: bob.userId }, "inviteUser");
  const blocked = { status: 403, body: { errcode: "M_INVITE_BLOCKED" } };
  t.match(await invite(), blocked, "strangers");
  const square = await createRoom(carol, {}, bob);
  t.match(await invite(), blocked, "a public room");
  t.match(await carol.post(`${v3}/createRoom`, { invite: [bob.userId] }), blocked);
  const club = await createRoom(bob, { preset: "private_chat", invite: [carol.userId] });
  t.match(await invite(), blocked, "who is only invited is no member");
  await join(carol, club);
  t.equal((await invite()).status, 200);
  t.ok((await sync(bob)).find("invite", target), "it is shown");
  t.ok((await sync(bob)).find("join", square));
});
