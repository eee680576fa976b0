import type { Test } from "tap";
import type { Database } from "../database.ts";
import type { NewDehydratedDevice } from "../dehydrated-devices.ts";
import { userWithDevices } from "./device-sessions.ts";
import { atMost } from "./to-device.ts";

function device(deviceId: string, deviceData = '{"algorithm":"a"}'): NewDehydratedDevice {
  const signed = `{"device_id":"${deviceId}","keys":{"ed25519:${deviceId}":"key"}}`;
  const keys = {
    deviceKeys: { signed, signatures: "{}" },
    oneTimeKeys: [{ algorithm: "signed_curve25519", keyId: "1", key: '"k"' }],
    fallbackKeys: [],
    maxOneTimeKeys: 5,
  };
  return { deviceId, deviceData, displayName: "Asleep", createdTs: 1_000, keys };
}

const stored = { stored: true, counts: { signed_curve25519: 1 } };

/** What every back end's store of dehydrated devices does. */
export function dehydratedDeviceStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("dehydrated devices: one a user, with keys and messages of its own", async (t) => {
    await using database = await open();
    const { dehydratedDevices, deviceKeys, devices, toDevice } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", ["PHONE"]);
    const names = async () => (await devices.list(alice)).map(({ deviceId }) => deviceId);
    t.equal(await dehydratedDevices.find(alice), undefined);
    t.strictSame(await dehydratedDevices.put(alice, device("A")), stored);
    await toDevice.send([{ userNid: alice, deviceId: "A", event: "{}" }], atMost(10), null);
    t.strictSame(await dehydratedDevices.put(alice, device("A", "{}")), stored, "uploaded again");
    t.ok(await toDevice.hasUpTo(alice, "A", Number.MAX_SAFE_INTEGER));
    t.strictSame(await dehydratedDevices.find(alice), { deviceId: "A", deviceData: "{}" });

    t.strictSame(await dehydratedDevices.put(alice, device("B")), stored);
    t.strictSame(await names(), ["B", "PHONE"]);
    t.notOk(await toDevice.hasUpTo(alice, "A", Number.MAX_SAFE_INTEGER));
    t.strictSame(
      (await deviceKeys.of([alice]))[0]?.devices.map(({ deviceId }) => deviceId),
      ["B"],
    );
    t.equal(await dehydratedDevices.remove(alice), "B");
    t.equal(await dehydratedDevices.remove(alice), undefined);
    t.strictSame(await names(), ["PHONE"]);
  });

  t.test("dehydrated devices: a session is none, and a login makes it one", async (t) => {
    await using database = await open();
    const { dehydratedDevices, devices } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", ["PHONE"]);
    const outcome = await dehydratedDevices.put(alice, device("PHONE"));
    t.strictSame(outcome, { stored: false, reason: "is-session" });
    await dehydratedDevices.put(alice, device("A"));
    await userWithDevices(database.stores, "alice", ["A"]);
    t.equal(await dehydratedDevices.find(alice), undefined);
    t.ok(await devices.find(alice, "A"));
    await dehydratedDevices.put(alice, device("B"));
    await devices.remove(alice, ["B"]);
    t.equal(await dehydratedDevices.find(alice), undefined, "deleted like any other");
  });
}
