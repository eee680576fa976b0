import t from "tap";
import * as fc from "fast-check";
import { SigningKey, VerifyKey } from "./ed25519.ts";
import type { JsonObject } from "./json.ts";
import { isSignedJson, signedJsonText, signingKeyIds, signJson, withSignature } from "./json-signing.ts";
import { specServer, specSigningKey, specVerifyKey } from "./testing/spec-key.ts";
import { parseStrictJson } from "./strict-json.ts";

t.test("the examples of the specification", async (t) => {
  t.same(signJson({}, specServer, specSigningKey), {
    signatures: {
      domain: {
        "ed25519:1": "K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ",
      },
    },
  });
  t.same(signJson({ one: 1, two: "Two" }, specServer, specSigningKey), {
    one: 1,
    signatures: {
      domain: {
        "ed25519:1": "KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw",
      },
    },
    two: "Two",
  });
});

const otherKey = new SigningKey("ed25519:2", new Uint8Array(32).fill(2));
const otherVerifyKey = new VerifyKey(otherKey.keyId, otherKey.publicKey);

t.test("signatures are added to those that are there, and `unsigned` is not signed", async (t) => {
  const once = signJson({ a: 1, unsigned: { age: 1 } }, "one", specSigningKey);
  const twice = signJson(signJson(once, "one", otherKey), "two", specSigningKey);
  t.same(signingKeyIds(twice.signatures, "one"), ["ed25519:1", "ed25519:2"]);
  t.same(signingKeyIds(twice.signatures, "two"), ["ed25519:1"]);
  t.same(signingKeyIds(twice.signatures, "three"), []);
  t.same(signingKeyIds(twice.signatures, "toString"), []);
  t.same(Object.keys(once.signatures), ["one"], "the input is not changed");
  t.equal(isSignedJson({ ...twice, unsigned: { age: 2 } }, "one", [specVerifyKey, otherVerifyKey]), true);
  t.equal(isSignedJson({ ...twice, a: 2 }, "one", [specVerifyKey]), false);
});

t.test("checking for a signature", async (t) => {
  const signed = signJson({ a: 1 }, "one", specSigningKey);
  t.equal(isSignedJson(signed, "one", [specVerifyKey]), true);
  t.equal(isSignedJson(signed, "two", [specVerifyKey]), false, "another signer");
  t.equal(isSignedJson(signed, "one", []), false, "no key is known");
  t.equal(isSignedJson(signed, "one", [otherVerifyKey]), false, "another key");
  t.equal(isSignedJson(signed, "__proto__", [specVerifyKey]), false);
  const wrong = {
    ...signed,
    signatures: withSignature(signed.signatures, "one", "ed25519:2", specSigningKey.sign("x")),
  };
  t.equal(
    isSignedJson(wrong, "one", [specVerifyKey]),
    true,
    "a wrong signature by an unknown key is ignored",
  );
  t.equal(isSignedJson(wrong, "one", [specVerifyKey, otherVerifyKey]), false, "one by a known key is not");
  for (const signatures of [
    null,
    [],
    "x",
    { one: [] },
    { one: { "ed25519:1": 5 } },
    { one: { "ed25519:1": "!" } },
  ]) {
    t.equal(isSignedJson({ a: 1, signatures }, "one", [specVerifyKey]), false, JSON.stringify(signatures));
  }
});

t.test("numbers that are no integers are signed as they were sent", async (t) => {
  const object = parseStrictJson('{"b":1.0,"a":[1e-7],"unsigned":{}}') as JsonObject;
  t.equal(signedJsonText(object), '{"a":[1e-7],"b":1.0}');
  t.equal(isSignedJson(signJson(object, "one", specSigningKey), "one", [specVerifyKey]), true);
});

t.test("what is signed is verified, and nothing else", async (t) => {
  const json = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { noNullPrototype: true });
  const property = fc.property(json, json, (one, other) => {
    const object = one as JsonObject;
    const signed = signJson(object, "one", specSigningKey);
    const moved = { ...(other as JsonObject), signatures: signed.signatures };
    const isSame = signedJsonText(object) === signedJsonText(other as JsonObject);
    return (
      isSignedJson(signed, "one", [specVerifyKey]) && isSignedJson(moved, "one", [specVerifyKey]) === isSame
    );
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 60 }), "for every object that was tried");
});
