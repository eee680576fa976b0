import t from "tap";
import { anonymous, registerUser, TestClient } from "../support/client.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

async function registerGuest(body: object = {}): Promise<TestClient> {
  const answer = await anonymous(server).post("/_matrix/client/v3/register?kind=guest", body, "register");
  const { user_id: userId, device_id: deviceId, access_token: accessToken } = answer.body;
  return new TestClient(server, {
    userId: String(userId),
    deviceId: String(deviceId),
    accessToken: String(accessToken),
  });
}

t.test("register: a guest gets name and device from the server", async (t) => {
  const wishes = {
    username: "wished",
    password: "x",
    device_id: "WISHED",
    initial_device_display_name: "Tab",
  };
  const guest = await registerGuest(wishes);
  t.not(guest.userId, "@wished:hearth.test");
  t.not(guest.deviceId, "WISHED");
  const { body } = await guest.get("/_matrix/client/v3/account/whoami", "getTokenOwner");
  t.strictSame(body, { user_id: guest.userId, device_id: guest.deviceId, is_guest: true });
  const device = await guest.get(`/_matrix/client/v3/devices/${guest.deviceId}`, "getDevice");
  t.match(device.body, { display_name: "Tab" });
});

t.test("guests may do what is allowed to guests", async (t) => {
  const guest = await registerGuest();
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
  const guest = await registerGuest();
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
  const guest = await registerGuest();
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
