import t from "tap";
import { anonymous, registerGuest, registerUser, type TestClient } from "../support/client.ts";
import { createRoom, join, leave, read, say, setState } from "../support/rooms.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

t.test("register: a guest gets name and device from the server", async (t) => {
  const wishes = {
    username: "wished",
    password: "x",
    device_id: "WISHED",
    initial_device_display_name: "Tab",
  };
  const guest = await registerGuest(server, wishes);
  t.not(guest.userId, "@wished:hearth.test");
  t.not(guest.deviceId, "WISHED");
  const { body } = await guest.get("/_matrix/client/v3/account/whoami", "getTokenOwner");
  t.strictSame(body, { user_id: guest.userId, device_id: guest.deviceId, is_guest: true });
  const device = await guest.get(`/_matrix/client/v3/devices/${guest.deviceId}`, "getDevice");
  t.match(device.body, { display_name: "Tab" });
});

t.test("guests may do what is allowed to guests", async (t) => {
  const guest = await registerGuest(server);
  t.equal((await guest.get("/_matrix/client/v3/devices", "getDevices")).status, 200);
  const named = { display_name: "Name" };
  const path = `/_matrix/client/v3/devices/${guest.deviceId}`;
  t.equal((await guest.put(path, named, "updateDevice")).status, 200);
  for (const [operationId, method, refused] of [
    ["getCapabilities", "GET", "/_matrix/client/v3/capabilities"],
    ["changePassword", "POST", "/_matrix/client/v3/account/password"],
    ["deactivateAccount", "POST", "/_matrix/client/v3/account/deactivate"],
    ["generateLoginToken", "POST", "/_matrix/client/v1/login/get_token"],
    ["deleteDevice", "DELETE", path],
    ["logout", "POST", "/_matrix/client/v3/logout"],
  ] as const) {
    const answer = await guest.call(operationId, method, refused, method === "GET" ? undefined : {});
    t.equal(answer.status, 403, operationId);
    t.equal(answer.body["errcode"], "M_GUEST_ACCESS_FORBIDDEN");
  }
});

t.test("register: a guest becomes a user of the same name", async (t) => {
  const guest = await registerGuest(server);
  const username = guest.userId.slice(1, guest.userId.indexOf(":"));
  const asked = {
    username,
    password: "correct horse battery staple",
    guest_access_token: guest.accessToken,
    auth: { type: "m.login.dummy" },
  };
  const register = (body: object) => anonymous(server).post("/_matrix/client/v3/register", body, "register");
  const { status, body } = await register(asked);
  t.equal(status, 200);
  t.equal(body["user_id"], guest.userId);
  const owner = await guest.get("/_matrix/client/v3/account/whoami", "getTokenOwner");
  t.equal(owner.body["is_guest"], false, "the guest's device goes on as the user's");
  t.equal((await guest.get("/_matrix/client/v3/capabilities", "getCapabilities")).status, 200);
  t.equal((await register(asked)).status, 403);
});

t.test("register: a guest's token is good for the guest's own name", async (t) => {
  const guest = await registerGuest(server);
  const user = await registerUser(server);
  const register = (body: object) => anonymous(server).post("/_matrix/client/v3/register", body, "register");
  const password = "correct horse battery staple";
  const localpart = user.userId.slice(1, user.userId.indexOf(":"));
  const auth = { type: "m.login.dummy" };
  const other = { username: "someone-new", password, guest_access_token: guest.accessToken, auth };
  t.match((await register(other)).body, { errcode: "M_FORBIDDEN" });
  const noGuest = { username: localpart, password, guest_access_token: user.accessToken, auth };
  t.match((await register(noGuest)).body, { errcode: "M_FORBIDDEN" });
  const unknown = { username: localpart, password, guest_access_token: "made up", auth };
  t.match((await register(unknown)).body, { errcode: "M_FORBIDDEN" });
});

const guestAccess = (guest_access: string) => ({
  type: "m.room.guest_access",
  state_key: "",
  content: { guest_access },
});

const joinedIn = async (member: TestClient, roomId: string) => {
  const { body } = await read(member, "getJoinedMembersByRoom", roomId, "joined_members");
  return Object.keys(body["joined"] ?? {});
};

t.test("joinRoomById: guests come into rooms that take guests, and into no other", async (t) => {
  const alice = await registerUser(server);
  const guest = await registerGuest(server);
  const open = await createRoom(alice, { initial_state: [guestAccess("can_join")] });
  await join(guest, open);
  await say(guest, open, "hello");
  for (const body of [{}, { initial_state: [guestAccess("forbidden")] }]) {
    const roomId = await createRoom(alice, body);
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/join`;
    const refused = await guest.post(path, {}, "joinRoomById");
    t.equal(refused.status, 403);
    t.equal(refused.body["errcode"], "M_GUEST_ACCESS_FORBIDDEN");
  }
});

t.test("setRoomStateWithKey: guests leave a room that takes them no longer", async (t) => {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  const roomId = await createRoom(alice, { initial_state: [guestAccess("can_join")] }, bob);
  const guests = await Promise.all([1, 2, 3].map(() => registerGuest(server)));
  const [gone, ...others] = guests;
  for (const guest of guests) await join(guest, roomId);
  if (gone) await leave(gone, roomId);
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state/m.room.guest_access`;
  const change = (guest_access: string) => ({ guest_access });
  t.equal((await bob.put(path, change("forbidden"), "setRoomStateWithKey")).status, 403);
  t.equal((await joinedIn(alice, roomId)).length, 4, "who may not decide it makes nobody leave");
  await setState(alice, roomId, "m.room.guest_access", change("can_join"));
  t.equal((await joinedIn(alice, roomId)).length, 4);
  const changed = await alice.put(path, change("forbidden"), "setRoomStateWithKey");
  t.equal(changed.status, 200);
  t.same(new Set(await joinedIn(alice, roomId)), new Set([alice.userId, bob.userId]));
  for (const guest of others) {
    const refused = await guest.post(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/join`, {});
    t.equal(refused.status, 403);
  }
  t.same((await alice.put(path, change("forbidden"))).body, changed.body, "again it is the same event");
});
