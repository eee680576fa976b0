import type { Test } from "tap";
import type { CrossSigningUpload } from "../cross-signing.ts";
import type { Database } from "../database.ts";
import type { CrossSigningKey, CrossSigningUsage } from "../device-keys.ts";
import { userWithDevices } from "./device-sessions.ts";

function key(usage: CrossSigningUsage, publicKey: string, signature = "by the master key"): CrossSigningKey {
  return {
    usage,
    publicKey,
    signed: `{"keys":{"ed25519:${publicKey}":"${publicKey}"},"usage":["${usage}"]}`,
    signatures: `{"ed25519:master":"${signature}"}`,
  };
}

function upload(keys: CrossSigningKey[], authorised = false, masterKey = "m1"): CrossSigningUpload {
  return { keys, masterKey, authorised };
}

const first = [key("master", "m1"), key("self_signing", "s1"), key("user_signing", "u1")];

/** What every back end's store of cross-signing keys does. */
export function crossSigningStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("cross-signing: the first keys and their repetition need no authorisation", async (t) => {
    await using database = await open();
    const { crossSigning, deviceKeys } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", []);
    t.equal(await crossSigning.upload(alice, upload(first)), "stored");
    t.equal(await crossSigning.upload(alice, upload(first)), "stored");
    t.equal(await crossSigning.upload(alice, upload(first.slice(0, 1))), "stored");
    t.equal(await crossSigning.upload(alice, upload(first.slice(1))), "stored", "no master key");
    const others = [key("master", "m1"), key("self_signing", "s2")];
    t.equal(await crossSigning.upload(alice, upload(others)), "needs-authorisation");
    const byUsage = (a: CrossSigningKey, b: CrossSigningKey) => (a.usage < b.usage ? -1 : 1);
    t.strictSame((await crossSigning.keysOf(alice)).sort(byUsage), [...first].sort(byUsage));
    t.strictSame((await deviceKeys.of([alice]))[0]?.crossSigning.length, 3);
    t.ok(await crossSigning.isKeyOf(alice, "s1"));
    t.notOk(await crossSigning.isKeyOf(alice + 1, "s1"));
  });

  t.test("cross-signing: the master key that signed must be the stored one", async (t) => {
    await using database = await open();
    const { crossSigning } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", []);
    t.equal(await crossSigning.upload(alice, upload([key("self_signing", "s1")])), "master-changed");
    await crossSigning.upload(alice, upload(first));
    const later = upload([key("self_signing", "s2")], true, "m2");
    t.equal(await crossSigning.upload(alice, later), "master-changed");
    t.equal(await crossSigning.upload(alice, { ...later, masterKey: "m1" }), "stored");
    t.ok(await crossSigning.isKeyOf(alice, "s2"));
    t.notOk(await crossSigning.isKeyOf(alice, "s1"));
  });

  t.test("cross-signing: a key may not have the ID of a device", async (t) => {
    await using database = await open();
    const { crossSigning } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", ["s1"]);
    t.equal(await crossSigning.upload(alice, upload(first)), "device-has-key-id");
    t.strictSame(await crossSigning.keysOf(alice), []);
  });

  t.test(
    "cross-signing: a new master key takes what the old one signed, but not what comes with it",
    async (t) => {
      await using database = await open();
      const { crossSigning } = database.stores;
      const alice = await userWithDevices(database.stores, "alice", []);
      await crossSigning.upload(alice, upload(first));
      const resigned = key("self_signing", "s1", "by the new master key");
      const next = upload([key("master", "m2"), resigned], true, "m2");
      t.equal(await crossSigning.upload(alice, next), "stored");
      const stored = await crossSigning.keysOf(alice);
      t.strictSame(
        stored.find(({ usage }) => usage === "self_signing"),
        resigned,
      );
      t.notOk(stored.some(({ usage }) => usage === "user_signing"));
    },
  );

  t.test("cross-signing: signatures of own keys are added while the key is what was signed", async (t) => {
    await using database = await open();
    const { crossSigning, deviceKeys, devices } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", ["A"]);
    const device = { signed: '{"device_id":"A","keys":{}}', signatures: '{"ed25519:A":"own"}' };
    await deviceKeys.upload(alice, "A", {
      deviceKeys: device,
      oneTimeKeys: [],
      fallbackKeys: [],
      maxOneTimeKeys: 1,
    });
    await crossSigning.upload(alice, upload(first));
    const [master] = first;
    const outcomes = await crossSigning.addOwnSignatures(alice, [
      { deviceId: "A", signed: device.signed, signatures: '{"ed25519:s1":"cross"}' },
      { deviceId: null, signed: master?.signed ?? "", signatures: '{"ed25519:A":"device"}' },
      { deviceId: "A", signed: "{}", signatures: '{"ed25519:s1":"wrong"}' },
      { deviceId: "B", signed: device.signed, signatures: "{}" },
    ]);
    t.strictSame(outcomes, [true, true, false, false]);
    const signatures = async () => {
      const [keys] = await deviceKeys.of([alice]);
      const masterKey = keys?.crossSigning.find(({ usage }) => usage === "master");
      return [
        JSON.parse(keys?.devices[0]?.signatures ?? "null"),
        JSON.parse(masterKey?.signatures ?? "null"),
      ];
    };
    t.strictSame(await signatures(), [
      { "ed25519:A": "own", "ed25519:s1": "cross" },
      { "ed25519:master": "by the master key", "ed25519:A": "device" },
    ]);
    await crossSigning.upload(alice, upload([key("self_signing", "s2")], true));
    t.strictSame((await signatures())[0], { "ed25519:A": "own" }, "what a replaced key signed is gone");
    await devices.remove(alice, ["A"]);
    t.strictSame((await signatures())[1], { "ed25519:master": "by the master key" });
  });

  t.test("cross-signing: signatures of other users go when either key is replaced", async (t) => {
    await using database = await open();
    const { accounts, crossSigning } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", []);
    const bob = await userWithDevices(database.stores, "bob", []);
    const carol = await userWithDevices(database.stores, "carol", []);
    await crossSigning.upload(alice, upload(first));
    await crossSigning.upload(carol, upload(first));
    const bobsMaster = key("master", "b1");
    await crossSigning.upload(bob, upload([bobsMaster], false, "b1"));
    const good = { targetNid: bob, signed: bobsMaster.signed, keyId: "ed25519:u1", signature: "s" };
    const added = await crossSigning.addUserSignatures(alice, [
      good,
      { ...good, signed: "{}" },
      { ...good, keyId: "ed25519:u0" },
    ]);
    t.strictSame(added, [true, false, false]);
    const expected = [{ targetNid: bob, targetKey: "b1", keyId: "ed25519:u1", signature: "s" }];
    t.strictSame(await crossSigning.userSignaturesOf(alice), expected);
    t.strictSame(await crossSigning.userSignaturesOf(bob), []);
    t.strictSame(await crossSigning.addUserSignatures(carol, [good]), [true]);
    await crossSigning.upload(alice, upload([key("user_signing", "u2")], true));
    t.strictSame(await crossSigning.userSignaturesOf(alice), []);
    await crossSigning.addUserSignatures(alice, [{ ...good, keyId: "ed25519:u2" }]);
    t.equal((await crossSigning.userSignaturesOf(alice)).length, 1);
    await accounts.deactivate(carol, false);
    t.strictSame(await crossSigning.keysOf(carol), []);
    t.strictSame(await crossSigning.userSignaturesOf(carol), []);
    await crossSigning.upload(bob, upload([key("master", "b2")], true, "b2"));
    t.strictSame(await crossSigning.userSignaturesOf(alice), []);
  });
}
