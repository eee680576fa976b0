import t from "tap";
import { login, passwordAuth, registerUser, type TestClient, testPassword } from "../support/client.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

const flows = [{ stages: ["m.login.password"] }];
const path = "/_matrix/client/v3/delete_devices";

function deleteDevices(client: TestClient, body: object) {
  return client.post(path, body, "deleteDevices");
}

async function hasDevice(client: TestClient, deviceId: string): Promise<boolean> {
  return (await client.get(`/_matrix/client/v3/devices/${deviceId}`)).status === 200;
}

t.test("deleteDevices: a request without auth is told what to do, and changes nothing", async (t) => {
  const alice = await registerUser(server);
  const { status, body } = await deleteDevices(alice, { devices: [alice.deviceId] });
  t.equal(status, 401);
  t.match(body, { flows, params: {}, session: String });
  t.notOk("errcode" in body);
  t.notOk("completed" in body);
  t.ok(await hasDevice(alice, alice.deviceId));
});

t.test("deleteDevices: the body may be left away once the server knows it", async (t) => {
  const alice = await registerUser(server);
  await login(server, alice, { deviceId: "OLD" });
  const { session } = (await deleteDevices(alice, { devices: ["OLD"] })).body;
  const { status } = await deleteDevices(alice, { auth: { ...passwordAuth(alice), session } });
  t.equal(status, 200);
  t.notOk(await hasDevice(alice, "OLD"));
  t.ok(await hasDevice(alice, alice.deviceId));
});

t.test("deleteDevices: a wrong password may be mended", async (t) => {
  const alice = await registerUser(server);
  await login(server, alice, { deviceId: "OLD" });
  const { session } = (await deleteDevices(alice, { devices: ["OLD"] })).body;
  const wrong = await deleteDevices(alice, { auth: { ...passwordAuth(alice, "wrong password"), session } });
  t.equal(wrong.status, 401);
  t.match(wrong.body, { errcode: "M_FORBIDDEN", error: "Wrong password", flows, session });
  t.ok(await hasDevice(alice, "OLD"));
  t.equal((await deleteDevices(alice, { auth: { ...passwordAuth(alice), session } })).status, 200);
});

t.test("deleteDevices: auth without a session is enough for a flow of one stage", async (t) => {
  const alice = await registerUser(server);
  await login(server, alice, { deviceId: "OLD" });
  const legacy = { type: "m.login.password", user: alice.userId, password: testPassword };
  t.equal((await deleteDevices(alice, { devices: ["OLD"], auth: legacy })).status, 200);
  t.notOk(await hasDevice(alice, "OLD"));
});

t.test("deleteDevices: nobody else's password, session or stage will do", async (t) => {
  const alice = await registerUser(server);
  const bob = await registerUser(server);
  const devices = [alice.deviceId];
  const { session } = (await deleteDevices(bob, { devices })).body;
  const attempts = [
    { ...passwordAuth(alice), session },
    { ...passwordAuth(alice), session: "made up" },
    { type: "m.login.dummy" },
    { type: "m.login.riddle" },
    { type: "m.login.password" },
    { session: "made up" },
    {},
  ];
  for (const auth of attempts) {
    const answer = await deleteDevices(alice, { devices, auth });
    t.equal(answer.status, 401, JSON.stringify(auth));
    t.match(answer.body, { flows, session: String });
  }
  const asBob = await deleteDevices(alice, { devices, auth: passwordAuth(bob) });
  t.equal(asBob.status, 403, "another attempt cannot mend it");
  t.equal(asBob.body["errcode"], "M_FORBIDDEN");
  t.ok(await hasDevice(alice, alice.deviceId));
});

t.test("deleteDevices: a session is good for its own endpoint", async (t) => {
  const alice = await registerUser(server);
  const { session } = (await deleteDevices(alice, { devices: [alice.deviceId] })).body;
  const auth = { ...passwordAuth(alice), session };
  const other = await alice.post("/_matrix/client/v3/account/deactivate", { auth }, "deactivateAccount");
  t.equal(other.status, 401);
  t.not(other.body["session"], session);
  t.ok(await hasDevice(alice, alice.deviceId));
});

t.test("deleteDevices: bodies that are not as they should be", async (t) => {
  const alice = await registerUser(server);
  for (const body of [{}, { devices: "A" }, { devices: [5] }, { devices: [], auth: "password" }]) {
    const answer = await deleteDevices(alice, body);
    t.equal(answer.status, 400, JSON.stringify(body));
    t.equal(answer.body["errcode"], "M_BAD_JSON");
  }
});
