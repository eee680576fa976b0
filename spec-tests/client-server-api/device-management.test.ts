import t from "tap";
import { login, passwordAuth, registerUser, type TestClient } from "../support/client.ts";
import { startServer } from "../support/server.ts";

const server = await startServer();
t.teardown(() => server[Symbol.asyncDispose]());

const path = "/_matrix/client/v3/devices";

async function deviceIds(client: TestClient): Promise<string[]> {
  const { body } = await client.get(path, "getDevices");
  return (body["devices"] as { device_id: string }[]).map((device) => device.device_id);
}

t.test("getDevices, getDevice: one's own devices, with their names and last use", async (t) => {
  const phone = await registerUser(server, undefined, { deviceId: "PHONE", deviceName: "Phone" });
  await login(server, phone, { deviceId: "LAPTOP" });
  const beforeTs = Date.now();
  const { body } = await phone.get(path, "getDevices");
  const [laptop, own, ...others] = body["devices"] as Record<string, unknown>[];
  t.strictSame(others, []);
  t.strictSame(laptop, { device_id: "LAPTOP" }, "not used yet");
  t.match(own, { device_id: "PHONE", display_name: "Phone", last_seen_ip: "127.0.0.1" });
  t.ok(Math.abs(Number(own?.["last_seen_ts"]) - beforeTs) < 60_000);
  const one = await phone.get(`${path}/PHONE`, "getDevice");
  t.strictSame(one.body, own);
});

t.test("getDevice, updateDevice: other people's devices are not there", async (t) => {
  const alice = await registerUser(server, undefined, { deviceId: "HERS" });
  const bob = await registerUser(server);
  for (const deviceId of ["HERS", "NONE", "%F0%9F%8C%8D"]) {
    const found = await bob.get(`${path}/${deviceId}`, "getDevice");
    t.equal(found.status, 404);
    t.equal(found.body["errcode"], "M_NOT_FOUND");
    t.equal((await bob.put(`${path}/${deviceId}`, { display_name: "Mine" }, "updateDevice")).status, 404);
    t.equal((await bob.put(`${path}/${deviceId}`, {}, "updateDevice")).status, 404);
  }
  t.notOk("display_name" in (await alice.get(`${path}/HERS`)).body);
});

t.test("updateDevice: a new name", async (t) => {
  const alice = await registerUser(server, undefined, { deviceId: "A", deviceName: "Before" });
  t.equal((await alice.put(`${path}/A`, {}, "updateDevice")).status, 200);
  t.match((await alice.get(`${path}/A`)).body, { display_name: "Before" });
  t.strictSame((await alice.put(`${path}/A`, { display_name: "After 🌍" }, "updateDevice")).body, {});
  t.match((await alice.get(`${path}/A`)).body, { display_name: "After 🌍" });
  const tooLong = await alice.put(`${path}/A`, { display_name: "x".repeat(256) }, "updateDevice");
  t.equal(tooLong.status, 400);
  t.equal(tooLong.body["errcode"], "M_INVALID_PARAM");
  t.equal((await alice.put(`${path}/A`, { display_name: 5 }, "updateDevice")).body["errcode"], "M_BAD_JSON");
  t.match((await alice.get(`${path}/A`)).body, { display_name: "After 🌍" });
});

t.test("deleteDevice: after the password, with its tokens", async (t) => {
  const alice = await registerUser(server);
  const old = await login(server, alice, { deviceId: "OLD" });
  const demand = await alice.call("deleteDevice", "DELETE", `${path}/OLD`);
  t.equal(demand.status, 401);
  t.equal((await old.get(path)).status, 200);
  const auth = { ...passwordAuth(alice), session: demand.body["session"] };
  const { status, body } = await alice.delete(`${path}/OLD`, { auth }, "deleteDevice");
  t.equal(status, 200);
  t.strictSame(body, {});
  t.match((await old.get(path)).body, { errcode: "M_UNKNOWN_TOKEN" });
  t.strictSame(await deviceIds(alice), [alice.deviceId]);
  const again = await alice.delete(`${path}/OLD`, { auth: passwordAuth(alice) }, "deleteDevice");
  t.equal(again.status, 200, "it had been removed previously");
});

t.test("deleteDevice: a session is good for one device", async (t) => {
  const alice = await registerUser(server);
  await login(server, alice, { deviceId: "OLD" });
  const { session } = (await alice.delete(`${path}/OLD`, {}, "deleteDevice")).body;
  const auth = { ...passwordAuth(alice), session };
  const other = await alice.delete(`${path}/${alice.deviceId}`, { auth }, "deleteDevice");
  t.equal(other.status, 401);
  t.equal((await deviceIds(alice)).length, 2);
});

t.test("deleteDevices: many at once, nobody else's", async (t) => {
  const alice = await registerUser(server, undefined, { deviceId: "KEPT" });
  const bob = await registerUser(server, undefined, { deviceId: "ONE" });
  for (const deviceId of ["ONE", "TWO", "THREE"]) await login(server, alice, { deviceId });
  const asked = { devices: ["ONE", "TWO", "NONE"], auth: passwordAuth(alice) };
  t.equal((await alice.post("/_matrix/client/v3/delete_devices", asked, "deleteDevices")).status, 200);
  t.strictSame(await deviceIds(alice), ["KEPT", "THREE"]);
  t.strictSame(await deviceIds(bob), ["ONE"]);
});

t.test("getDevices: what is known of a device's last use outlives a restart", async (t) => {
  await using restarted = await startServer();
  const alice = await registerUser(restarted);
  await alice.get(path);
  await restarted.restart();
  const { body } = await alice.get(`${path}/${alice.deviceId}`, "getDevice");
  t.match(body, { last_seen_ip: "127.0.0.1", last_seen_ts: Number });
});
