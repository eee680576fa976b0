import t from "tap";
import * as fc from "fast-check";
import { SigningKey, VerifyKey } from "./ed25519.ts";
import { EncodedEvent } from "./event-encoding.ts";
import { PduFormatError } from "./errors.ts";
import { contentHash, hasValidContentHash, referenceHash } from "./event-hash.ts";
import { hashAndSignEvent, isEventSignedBy, requiredSigners, signEvent } from "./event-signing.ts";
import type { ServerName } from "./identifiers.ts";
import type { JsonObject } from "./json.ts";
import type { Pdu } from "./pdu.ts";
import { redact } from "./redaction.ts";
import { supportedRoomVersions } from "./room-versions.ts";
import { rulesOfVersion } from "./testing/room-version.ts";
import { specServer, specSigningKey, specVerifyKey } from "./testing/spec-key.ts";
import { specVectors } from "./testing/spec-vectors.ts";
import { signedTestPdu, testPdu } from "./testing/test-pdu.ts";

const v1 = rulesOfVersion("1");
const v12 = rulesOfVersion("12");
const versions = supportedRoomVersions.map(rulesOfVersion);

t.test("the examples of the specification", async (t) => {
  const minimal = {
    room_id: "!x:domain",
    sender: "@a:domain",
    origin: "domain",
    origin_server_ts: 1_000_000,
    signatures: {},
    hashes: {},
    type: "X",
    content: {},
    prev_events: [],
    auth_events: [],
    depth: 3,
    unsigned: { age_ts: 1_000_000 },
  };
  const signed = hashAndSignEvent(v1, minimal, specServer, specSigningKey);
  t.same(signed, {
    ...minimal,
    hashes: { sha256: "5jM4wQpv6lnBo7CLIghJuHdW+s2CMBJPUOGOC89ncos" },
    signatures: {
      domain: {
        "ed25519:1": "KxwGjPSDEtvnFgU00fwFz+l6d2pJM6XBIaMEn81SXPTRl16AqLAYqfIReFGZlHi5KLjAWbOoMszkwsQma+lYAg",
      },
    },
  });
  const redactable = {
    content: { body: "Here is the message content" },
    event_id: "$0:domain",
    origin: "domain",
    origin_server_ts: 1_000_000,
    type: "m.room.message",
    room_id: "!r:domain",
    sender: "@u:domain",
    signatures: {},
    unsigned: { age_ts: 1_000_000 },
  };
  t.same(hashAndSignEvent(v1, redactable, specServer, specSigningKey), {
    ...redactable,
    hashes: { sha256: "onLKD1bGljeBWQhWZ1kaP9SorVmRQNdN5aM2JYU2n/g" },
    signatures: {
      domain: {
        "ed25519:1": "Wm+VzmOUOz08Ds+0NTWb1d4CZrVsJSikkeRxh6aCcUwu6pNC78FunoD7KNWzqFn241eYHYMGCA5McEiVPdhzBA",
      },
    },
  });
});

interface Case {
  input: JsonObject;
  signed: JsonObject;
  content_hash_input_utf8: string;
  signature_input_utf8: string;
  reference_hash_base64_derived: string;
}
const vectors = specVectors<{ cases: Case[] }>("event_signing");

t.test("the specification's vectors", { skip: vectors.skip }, async (t) => {
  for (const { input, signed, ...steps } of vectors.read().cases) {
    const ours = hashAndSignEvent(v1, input, specServer, specSigningKey);
    t.same(ours, signed);
    const encoded = new EncodedEvent(v1, ours);
    t.equal(encoded.contentHashText(), steps.content_hash_input_utf8);
    t.equal(Buffer.from(encoded.signedBytes()).toString(), steps.signature_input_utf8);
    t.equal(referenceHash(v1, ours), steps.reference_hash_base64_derived);
  }
});

t.test("an event's signature holds for its redacted form, its hash does not", async (t) => {
  for (const version of versions) {
    const pdu = signedTestPdu(version, { content: { body: "secret" } });
    const redacted = redact(version, pdu);
    t.equal(isEventSignedBy(version, pdu, specServer, [specVerifyKey]), true);
    t.equal(isEventSignedBy(version, redacted, specServer, [specVerifyKey]), true);
    t.equal(hasValidContentHash(version, pdu), true);
    t.equal(hasValidContentHash(version, redacted), false);
    const changed = { ...pdu, depth: 8 };
    t.equal(isEventSignedBy(version, changed, specServer, [specVerifyKey]), false);
    t.equal(isEventSignedBy(version, pdu, "elsewhere" as ServerName, [specVerifyKey]), false);
    t.equal(isEventSignedBy(version, { ...pdu, unsigned: { age: 5 } }, specServer, [specVerifyKey]), true);
  }
});

t.test("the content hash may be written in any Base64", async (t) => {
  const pdu = signedTestPdu(v12);
  const { sha256 } = pdu.hashes;
  t.equal(hasValidContentHash(v12, { ...pdu, hashes: { sha256: `${sha256}=` } }), true);
  const urlSafe = sha256.replaceAll("+", "-").replaceAll("/", "_");
  t.equal(hasValidContentHash(v12, { ...pdu, hashes: { sha256: urlSafe } }), true);
  for (const wrong of ["", "AAAA", "!", 5, null]) {
    t.equal(hasValidContentHash(v12, { ...pdu, hashes: { sha256: wrong } }), false);
  }
  t.equal(hasValidContentHash(v12, { ...pdu, hashes: null }), false);
});

t.test("a second server adds its signature", async (t) => {
  const key = new SigningKey("ed25519:x", new Uint8Array(32).fill(9));
  const pdu = signedTestPdu(v12);
  const twice = signEvent(v12, pdu, "elsewhere", key);
  t.same(Object.keys(twice.signatures), ["domain", "elsewhere"]);
  t.same(Object.keys(pdu.signatures), ["domain"], "the input is not changed");
  t.equal(
    isEventSignedBy(v12, twice, "elsewhere" as ServerName, [new VerifyKey(key.keyId, key.publicKey)]),
    true,
  );
  t.equal(isEventSignedBy(v12, twice, specServer, [specVerifyKey]), true);
});

/** The servers that must have signed an event of a version, or why there are none. */
function signersOf(id: string, changes: JsonObject): string[] | string {
  const version = rulesOfVersion(id);
  try {
    return requiredSigners(version, testPdu(version, changes) as unknown as Pdu);
  } catch (error) {
    if (error instanceof PduFormatError) return error.reason;
    throw error;
  }
}

t.test("who must have signed an event", async (t) => {
  const member = (content: JsonObject): JsonObject => ({
    type: "m.room.member",
    state_key: "@b:other",
    content,
  });
  const thirdParty = member({ membership: "invite", third_party_invite: { signed: {} } });
  const restricted = member({ membership: "join", join_authorised_via_users_server: "@admin:resident" });
  t.same(signersOf("12", {}), ["domain"]);
  t.same(signersOf("2", { event_id: "$e:origin" }), ["domain", "origin"]);
  t.same(signersOf("2", {}), ["domain"]);
  t.same(signersOf("3", { event_id: "$e:origin" }), ["domain"]);
  t.same(signersOf("12", thirdParty), [], "a third-party invite may be sent by any server");
  t.same(signersOf("1", { ...thirdParty, event_id: "$e:origin" }), ["origin"]);
  t.same(signersOf("12", member({ membership: "invite", third_party_invite: "x" })), ["domain"]);
  t.same(signersOf("12", member({ membership: "join", third_party_invite: {} })), ["domain"]);
  t.same(signersOf("7", restricted), ["domain"]);
  t.same(signersOf("8", restricted), ["domain", "resident"]);
  t.same(signersOf("12", restricted), ["domain", "resident"]);
  t.same(
    signersOf("12", {
      ...restricted,
      content: { ...(restricted["content"] as JsonObject), membership: "leave" },
    }),
    ["domain"],
  );
  t.same(signersOf("12", { ...restricted, type: "m.room.message" }), ["domain"]);
  const authoriser = (value: JsonObject[string]) =>
    member({ membership: "join", join_authorised_via_users_server: value });
  t.equal(signersOf("12", authoriser("resident")), "invalid-identifier");
  t.equal(signersOf("12", authoriser(5)), "invalid-identifier");
  t.equal(signersOf("12", { sender: "nobody" }), "invalid-identifier");
  t.equal(signersOf("1", { event_id: "$e" }), "invalid-identifier");
});

t.test("what is hashed and signed is verified", async (t) => {
  const content = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.maxSafeInteger()), {
    noNullPrototype: true,
  });
  const property = fc.property(content, content, fc.constantFrom(...versions), (one, other, version) => {
    const pdu = signedTestPdu(version, { content: one });
    const swapped = { ...pdu, content: other };
    const isSame = contentHash(version, swapped) === contentHash(version, pdu);
    return (
      hasValidContentHash(version, pdu) &&
      isEventSignedBy(version, pdu, specServer, [specVerifyKey]) &&
      hasValidContentHash(version, swapped) === isSame
    );
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 60 }), "for every content that was tried");
});
