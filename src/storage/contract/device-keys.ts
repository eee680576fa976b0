import type { Test } from "tap";
import type { Database } from "../database.ts";
import type { KeyUpload, OneTimeKey } from "../device-keys.ts";
import { userWithDevices } from "./device-sessions.ts";

const nothing: KeyUpload = { deviceKeys: null, oneTimeKeys: [], fallbackKeys: [], maxOneTimeKeys: 5 };
const identity = {
  signed: '{"device_id":"A","keys":{"ed25519:A":"key"}}',
  signatures: '{"ed25519:A":"own"}',
};

function key(keyId: string, signature = "s", algorithm = "signed_curve25519"): OneTimeKey {
  return { algorithm, keyId, key: `{"key":"${keyId}","signatures":{"@a:b":{"ed25519:A":"${signature}"}}}` };
}

/** What every back end's store of device keys does. */
export function deviceKeyStoreContract(t: Test, open: () => Promise<Database>): void {
  t.test("device keys: stored for a device that exists, and listed with its name", async (t) => {
    await using database = await open();
    const { deviceKeys, devices } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", ["A", "B"]);
    const upload = { ...nothing, deviceKeys: identity };
    t.strictSame(await deviceKeys.upload(alice, "A", upload), { stored: true, counts: {} });
    t.strictSame(await deviceKeys.upload(alice, "C", upload), { stored: false, reason: "no-device" });
    t.strictSame(await deviceKeys.of([alice, alice + 1]), [
      {
        userNid: alice,
        devices: [{ deviceId: "A", displayName: "alice's A", ...identity }],
        crossSigning: [],
      },
      { userNid: alice + 1, devices: [], crossSigning: [] },
    ]);
    await devices.remove(alice, ["A"]);
    t.strictSame((await deviceKeys.of([alice]))[0]?.devices, []);
  });

  t.test("device keys: uploading them again keeps signatures that were added", async (t) => {
    await using database = await open();
    const { deviceKeys, crossSigning } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", ["A"]);
    await deviceKeys.upload(alice, "A", { ...nothing, deviceKeys: identity });
    const added = { deviceId: "A", signed: identity.signed, signatures: '{"ed25519:ssk":"cross"}' };
    t.strictSame(await crossSigning.addOwnSignatures(alice, [added]), [true]);
    await deviceKeys.upload(alice, "A", { ...nothing, deviceKeys: identity });
    const [keys] = await deviceKeys.of([alice]);
    t.strictSame(JSON.parse(keys?.devices[0]?.signatures ?? ""), {
      "ed25519:A": "own",
      "ed25519:ssk": "cross",
    });
  });

  t.test(
    "device keys: a changed identity drops the signatures and one-time keys of the old one",
    async (t) => {
      await using database = await open();
      const { deviceKeys } = database.stores;
      const alice = await userWithDevices(database.stores, "alice", ["A"]);
      const first = { ...nothing, deviceKeys: identity, oneTimeKeys: [key("1")], fallbackKeys: [key("f")] };
      await deviceKeys.upload(alice, "A", first);
      const otherKeys = { signed: '{"device_id":"A","keys":{"ed25519:A":"2"}}', signatures: "{}" };
      const outcome = await deviceKeys.upload(alice, "A", {
        ...nothing,
        deviceKeys: otherKeys,
        oneTimeKeys: [key("1", "by the new identity"), key("2")],
      });
      t.strictSame(outcome, { stored: true, counts: { signed_curve25519: 2 } });
      t.strictSame((await deviceKeys.of([alice]))[0]?.devices[0]?.signed, otherKeys.signed);
      t.strictSame((await deviceKeys.oneTimeKeyStatus(alice, "A")).unusedFallbackTypes, []);
      const claim = { userNid: alice, deviceId: "A", algorithm: "signed_curve25519" };
      t.strictSame(await deviceKeys.claim([claim, claim, claim]), [
        key("1", "by the new identity"),
        key("2"),
        null,
      ]);
      const { position } = await deviceKeys.oneTimeKeyStatus(alice, "A");
      await deviceKeys.upload(alice, "A", { ...nothing, deviceKeys: identity });
      t.ok((await deviceKeys.oneTimeKeyStatus(alice, "A")).position > position, "the device is told");
    },
  );

  t.test("one-time keys: given out once, the oldest upload first, then the fallback key", async (t) => {
    await using database = await open();
    const { deviceKeys } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", ["A"]);
    const claim = { userNid: alice, deviceId: "A", algorithm: "signed_curve25519" };
    t.strictSame(await deviceKeys.claim([claim]), [null]);
    await deviceKeys.upload(alice, "A", { ...nothing, oneTimeKeys: [key("z")], fallbackKeys: [key("f")] });
    await deviceKeys.upload(alice, "A", { ...nothing, oneTimeKeys: [key("a")] });
    t.strictSame(await deviceKeys.claim([claim, { ...claim, algorithm: "x" }, claim, claim, claim]), [
      key("z"),
      null,
      key("a"),
      key("f"),
      key("f"),
    ]);
    t.strictSame(await deviceKeys.claim([{ ...claim, deviceId: "B" }]), [null]);
  });

  t.test("one-time keys: the status counts what is left and tells when it changed", async (t) => {
    await using database = await open();
    const { deviceKeys } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", ["A"]);
    const status = () => deviceKeys.oneTimeKeyStatus(alice, "A");
    t.strictSame(await status(), { counts: {}, unusedFallbackTypes: [], position: 0 });
    const keys = [key("1"), key("2"), key("3", "s", "other")];
    await deviceKeys.upload(alice, "A", { ...nothing, oneTimeKeys: keys, fallbackKeys: [key("f")] });
    const uploaded = await status();
    t.strictSame(uploaded.counts, { signed_curve25519: 2, other: 1 });
    t.strictSame(uploaded.unusedFallbackTypes, ["signed_curve25519"]);
    const claim = { userNid: alice, deviceId: "A", algorithm: "signed_curve25519" };
    await deviceKeys.claim([claim]);
    const claimed = await status();
    t.strictSame(claimed.counts, { signed_curve25519: 1, other: 1 });
    t.ok(claimed.position > uploaded.position);
    await deviceKeys.claim([claim, claim]);
    t.strictSame((await status()).unusedFallbackTypes, []);
    t.strictSame((await status()).counts, { other: 1 });
  });

  t.test("fallback keys: a new one is unused, the same one again is not", async (t) => {
    await using database = await open();
    const { deviceKeys } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", ["A"]);
    const unused = async () => (await deviceKeys.oneTimeKeyStatus(alice, "A")).unusedFallbackTypes;
    await deviceKeys.upload(alice, "A", { ...nothing, fallbackKeys: [key("f")] });
    await deviceKeys.claim([{ userNid: alice, deviceId: "A", algorithm: "signed_curve25519" }]);
    await deviceKeys.upload(alice, "A", { ...nothing, fallbackKeys: [key("f", "signed again")] });
    t.strictSame(await unused(), []);
    await deviceKeys.upload(alice, "A", { ...nothing, fallbackKeys: [key("g")] });
    t.strictSame(await unused(), ["signed_curve25519"]);
  });

  t.test(
    "one-time keys: a repeated upload changes nothing, another key with the ID is refused",
    async (t) => {
      await using database = await open();
      const { deviceKeys } = database.stores;
      const alice = await userWithDevices(database.stores, "alice", ["A"]);
      await deviceKeys.upload(alice, "A", { ...nothing, oneTimeKeys: [key("1"), key("2")] });
      const before = await deviceKeys.oneTimeKeyStatus(alice, "A");
      const again = { ...nothing, oneTimeKeys: [key("1", "signed again"), key("2")] };
      t.strictSame(await deviceKeys.upload(alice, "A", again), {
        stored: true,
        counts: { signed_curve25519: 2 },
      });
      const uploaded = { ...key("2"), key: '{"key":"other"}' };
      const conflict = { ...nothing, deviceKeys: identity, oneTimeKeys: [key("3"), uploaded] };
      t.strictSame(await deviceKeys.upload(alice, "A", conflict), {
        stored: false,
        reason: "key-exists",
        existing: key("2"),
        uploaded,
      });
      t.strictSame(await deviceKeys.oneTimeKeyStatus(alice, "A"), before, "nothing of it is stored");
      t.strictSame((await deviceKeys.of([alice]))[0]?.devices, []);
    },
  );

  t.test("one-time keys: a device has so many and no more", async (t) => {
    await using database = await open();
    const { deviceKeys } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", ["A"]);
    const upload = (...ids: string[]) =>
      deviceKeys.upload(alice, "A", { ...nothing, oneTimeKeys: ids.map((id) => key(id)) });
    t.match(await upload("1", "2", "3"), { stored: true });
    t.strictSame(await upload("4", "5", "6"), { stored: false, reason: "too-many" });
    t.match(await upload("4", "5"), { stored: true });
    t.match(await upload("1", "2", "3", "4", "5"), { stored: true }, "nothing new");
  });

  t.test(
    "one-time keys: those of later uploads come after those that wait, whatever has been given out",
    async (t) => {
      await using database = await open();
      const { deviceKeys } = database.stores;
      const alice = await userWithDevices(database.stores, "alice", ["A"]);
      const claim = { userNid: alice, deviceId: "A", algorithm: "signed_curve25519" };
      const upload = (...oneTimeKeys: OneTimeKey[]) =>
        deviceKeys.upload(alice, "A", { ...nothing, oneTimeKeys });
      await upload(key("1"), key("2"), key("3"), key("o", "s", "other"));
      t.strictSame(await deviceKeys.claim([claim, claim]), [key("1"), key("2")]);
      t.strictSame(await upload(key("4"), key("1", "given out before")), {
        stored: true,
        counts: { signed_curve25519: 3, other: 1 },
      });
      t.strictSame(await deviceKeys.claim([claim, claim, claim, claim]), [
        key("3"),
        key("4"),
        key("1", "given out before"),
        null,
      ]);
      t.strictSame(await upload(key("5")), { stored: true, counts: { signed_curve25519: 1, other: 1 } });
      t.strictSame(await deviceKeys.claim([claim, { ...claim, algorithm: "other" }, claim]), [
        key("5"),
        key("o", "s", "other"),
        null,
      ]);
    },
  );

  t.test("one-time keys: they go with their device", async (t) => {
    await using database = await open();
    const { deviceKeys, devices } = database.stores;
    const alice = await userWithDevices(database.stores, "alice", ["A"]);
    await deviceKeys.upload(alice, "A", { ...nothing, oneTimeKeys: [key("1")], fallbackKeys: [key("f")] });
    await devices.remove(alice, ["A"]);
    const claim = { userNid: alice, deviceId: "A", algorithm: "signed_curve25519" };
    t.strictSame(await deviceKeys.claim([claim]), [null]);
    t.strictSame(await deviceKeys.oneTimeKeyStatus(alice, "A"), {
      counts: {},
      unusedFallbackTypes: [],
      position: 0,
    });
  });
}
