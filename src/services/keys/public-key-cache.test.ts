import t from "tap";
import type { DeviceKeyStore, PublicKeys } from "../../storage/device-keys.ts";
import { NameCache } from "../../storage/name-cache.ts";
import type { NameStore } from "../../storage/names.ts";
import { PublicKeyCache } from "./public-key-cache.ts";
import { renderKeys, withSignature } from "./rendered-keys.ts";

const alice = "@alice:hearth.test";

function keysWith(displayName: string): PublicKeys {
  const device = { deviceId: "A", displayName, signed: '{"device_id":"A"}', signatures: "{}" };
  return { userNid: 1, devices: [device], crossSigning: [] };
}

/** A cache over a store whose reads end when the test says so. */
function cacheWith(): { cache: PublicKeyCache; answers: ((keys: PublicKeys[]) => void)[] } {
  const answers: ((keys: PublicKeys[]) => void)[] = [];
  const store = { of: () => new Promise<PublicKeys[]>((resolve) => answers.push(resolve)) };
  const nameStore = { findUser: (userId: string) => Promise.resolve(userId === alice ? 1 : undefined) };
  const names = new NameCache(nameStore as NameStore, () => true);
  return { cache: new PublicKeyCache(store as unknown as DeviceKeyStore, names), answers };
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

const change = { position: 1, stream: "deviceLists", nid: 1 } as const;

t.test("keys are read once, and again after a change of the device list", async (t) => {
  const { cache, answers } = cacheWith();
  t.equal(cache.cached(alice), undefined);
  const reading = cache.read([alice, "@nobody:hearth.test"]);
  await settled();
  answers[0]?.([keysWith("first")]);
  t.strictSame([...(await reading).keys()], [alice]);
  t.match(cache.cached(alice)?.devices.toString(), /first/);
  cache.follow(1, [
    { ...change, nid: 2 },
    { ...change, stream: "oneTimeKeys" },
  ]);
  t.ok(cache.cached(alice), "that was of somebody or something else");
  cache.follow(2, [change]);
  t.equal(cache.cached(alice), undefined);
});

t.test("keys that change while they are being read are not kept", async (t) => {
  const { cache, answers } = cacheWith();
  const reading = cache.read([alice]);
  await settled();
  cache.follow(1, [change]);
  answers[0]?.([keysWith("perhaps outdated")]);
  t.ok((await reading).has(alice));
  t.equal(cache.cached(alice), undefined);
});

t.test("a master key takes a signature beside the owner's, or as its first", (t) => {
  const master = { usage: "master", publicKey: "m", signed: '{"keys":{}}' } as const;
  for (const signatures of ["{}", '{"ed25519:A":"own"}']) {
    const keys = { userNid: 1, devices: [], crossSigning: [{ ...master, signatures }] };
    const { masterKey } = renderKeys(alice, keys);
    if (!masterKey) throw new Error("the master key is missing");
    const signed = withSignature(masterKey, "@bob:hearth.test", { keyId: "ed25519:u", signature: "s" });
    const own = signatures === "{}" ? {} : { [alice]: { "ed25519:A": "own" } };
    t.strictSame(JSON.parse(`{${signed.toString().slice(1)}}`), {
      [alice]: { keys: {}, signatures: { ...own, "@bob:hearth.test": { "ed25519:u": "s" } } },
    });
  }
  t.end();
});
