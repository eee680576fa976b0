import t from "tap";
import * as fc from "fast-check";
import { inspect } from "node:util";
import nacl from "tweetnacl";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { isEd25519KeyId, SigningKey, VerifyKey } from "./ed25519.ts";
import { KeyError } from "./errors.ts";
import { specSeed, specSigningKey, specVerifyKey } from "./testing/spec-key.ts";

const keyPair = nacl.sign.keyPair.fromSeed(specSeed);
/** The order of the group's base point. */
const order = 2n ** 252n + 27742317777372353535851937790883648493n;
const fieldPrime = 2n ** 255n - 19n;

function littleEndian(number: bigint): Uint8Array {
  return Buffer.from(number.toString(16).padStart(64, "0"), "hex").toReversed();
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes.toReversed()).toString("hex")}`);
}

function ourVerify(
  message: Uint8Array,
  signature: Uint8Array,
  publicKey: Uint8Array,
): boolean | "refused key" {
  try {
    return new VerifyKey("ed25519:1", encodeBase64(publicKey)).verify(message, encodeBase64(signature));
  } catch (error) {
    if (error instanceof KeyError) return "refused key";
    throw error;
  }
}

/** The reason for which a key is refused. */
function refusal(make: () => unknown): string | undefined {
  try {
    make();
    return undefined;
  } catch (error) {
    if (error instanceof KeyError) return error.reason;
    throw error;
  }
}

t.test("the key of the specification's examples", async (t) => {
  t.equal(specSigningKey.publicKey, "XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI");
  t.equal(
    specSigningKey.sign("{}"),
    "K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ",
  );
  t.equal(specVerifyKey.verify("{}", specSigningKey.sign("{}")), true);
  t.equal(specVerifyKey.verify("{ }", specSigningKey.sign("{}")), false);
});

t.test("node:crypto and tweetnacl make the same keys and signatures", async (t) => {
  const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const property = fc.property(seeds, fc.uint8Array({ maxLength: 300 }), (seed, message) => {
    const pair = nacl.sign.keyPair.fromSeed(seed);
    const key = new SigningKey("ed25519:a_1", seed);
    const signature = nacl.sign.detached(message, pair.secretKey);
    return (
      key.publicKey === encodeBase64(pair.publicKey) &&
      key.sign(message) === encodeBase64(signature) &&
      new VerifyKey("ed25519:a_1", key.publicKey).verify(message, key.sign(message))
    );
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 10 }), "for every key that was tried");
});

t.test("node:crypto and tweetnacl refuse the same forgeries", async (t) => {
  const message = Buffer.from("message");
  const signature = nacl.sign.detached(message, keyPair.secretKey);
  const property = fc.property(
    fc.nat(63),
    fc.integer({ min: 1, max: 255 }),
    fc.constantFrom("signature", "key"),
    (at, flip, where) => {
      const forged = Uint8Array.from(signature);
      const publicKey = Uint8Array.from(keyPair.publicKey);
      const target = where === "signature" ? forged : publicKey;
      target[at % target.length] = (target[at % target.length] ?? 0) ^ flip;
      const isTaken = nacl.sign.detached.verify(message, forged, publicKey);
      return !isTaken && ourVerify(message, forged, publicKey) !== true;
    },
  );
  t.doesNotThrow(() => fc.assert(property, { numRuns: 15 }), "for every forgery that was tried");
});

t.test("a second half beyond the order of the group: tweetnacl takes it, we do not", async (t) => {
  const message = Buffer.from("message");
  const signature = nacl.sign.detached(message, keyPair.secretKey);
  const shifted = Buffer.concat([
    signature.subarray(0, 32),
    littleEndian(fromLittleEndian(signature.subarray(32)) + order),
  ]);
  t.equal(nacl.sign.detached.verify(message, shifted, keyPair.publicKey), true);
  t.equal(ourVerify(message, shifted, keyPair.publicKey), false);
});

const smallOrderCoordinates = [
  0n,
  1n,
  fieldPrime - 1n,
  fromLittleEndian(Buffer.from("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "hex")),
  fromLittleEndian(Buffer.from("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "hex")),
];
const signBit = 2n ** 255n;

t.test(
  "public keys of small order: one signature fits many messages for tweetnacl, we refuse the keys",
  async (t) => {
    // The neutral element as first half and 0 as second half: right whenever the hash is a multiple of the key's order.
    const signature = Buffer.concat([littleEndian(1n), littleEndian(0n)]);
    const messages = Array.from({ length: 64 }, (_, index) => Buffer.from(`message ${index}`));
    for (const coordinate of smallOrderCoordinates) {
      for (const sign of [0n, signBit]) {
        const publicKey = littleEndian(coordinate + sign);
        const fits = messages.some((message) => nacl.sign.detached.verify(message, signature, publicKey));
        t.equal(fits, true, "the point is of small order");
        t.equal(ourVerify(Buffer.of(), signature, publicKey), "refused key");
      }
    }
  },
);

t.test("public keys that are not written in the one right way are refused", async (t) => {
  for (let excess = 0n; excess < 19n; excess++) {
    for (const sign of [0n, signBit]) {
      t.equal(
        ourVerify(Buffer.of(), new Uint8Array(64), littleEndian(fieldPrime + excess + sign)),
        "refused key",
      );
    }
  }
  t.not(ourVerify(Buffer.of(), new Uint8Array(64), littleEndian(fieldPrime - 2n)), "refused key");
});

t.test("first halves of small order are refused", async (t) => {
  // With 0 for the secret nonce the first half is the neutral element and the second is hash × secret: a true signature.
  const message = Buffer.from("message");
  const neutral = littleEndian(1n);
  const secret = nacl.hash(specSeed).subarray(0, 32);
  secret[0] = (secret[0] ?? 0) & 248;
  secret[31] = ((secret[31] ?? 0) & 63) | 64;
  const hash = fromLittleEndian(nacl.hash(Buffer.concat([neutral, keyPair.publicKey, message])));
  const signature = Buffer.concat([neutral, littleEndian((hash * fromLittleEndian(secret)) % order)]);
  t.equal(nacl.sign.detached.verify(message, signature, keyPair.publicKey), true);
  t.equal(ourVerify(message, signature, keyPair.publicKey), false);
});

t.test("keys and signatures of wrong form", async (t) => {
  t.equal(
    refusal(() => new SigningKey("ed25519:", specSeed)),
    "invalid-key-id",
  );
  t.equal(
    refusal(() => new SigningKey("rsa:1", specSeed)),
    "invalid-key-id",
  );
  t.equal(
    refusal(() => new SigningKey("ed25519:1", specSeed.subarray(1))),
    "invalid-seed",
  );
  t.equal(
    refusal(() => new VerifyKey("rsa:1", specSigningKey.publicKey)),
    "invalid-key-id",
  );
  for (const key of ["", "AAAA", "!", `${specSigningKey.publicKey}AA`]) {
    t.equal(
      refusal(() => new VerifyKey("ed25519:1", key)),
      "invalid-public-key",
      key,
    );
  }
  for (const signature of ["", "AAAA", "not base64!", specSigningKey.sign("x").slice(4)]) {
    t.equal(specVerifyKey.verify("x", signature), false, signature);
  }
  t.equal(specVerifyKey.verify("x", `${specSigningKey.sign("x")}==`), true, "padding is allowed");
  t.same(["ed25519:1", "ed25519:a_B", "ed25519:a-b", "ed25519", "x:1"].map(isEd25519KeyId), [
    true,
    true,
    false,
    false,
    false,
  ]);
});

t.test("any 32 bytes as key and 64 as signature give a verdict, and it is tweetnacl's", async (t) => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const property = fc.property(bytes(32), bytes(64), bytes(8), (publicKey, signature, message) => {
    const ours = ourVerify(message, signature, publicKey);
    return ours === "refused key" || ours === nacl.sign.detached.verify(message, signature, publicKey);
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 10 }), "for all bytes that were tried");
});

t.test("the seed does not show", async (t) => {
  const shown = inspect(specSigningKey, { depth: 9, showHidden: true }) + JSON.stringify(specSigningKey);
  t.notMatch(shown, encodeBase64(specSeed));
  t.same(decodeBase64(specSigningKey.publicKey), keyPair.publicKey);
});
