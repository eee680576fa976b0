import t from "tap";
import * as fc from "fast-check";
import { ProtocolError } from "./errors.ts";
import { checkPdu } from "./event-format.ts";
import { contentHash, eventId, hasValidContentHash, referenceHash } from "./event-hash.ts";
import { hashAndSignEvent, isEventSignedBy, requiredSigners } from "./event-signing.ts";
import type { JsonObject } from "./json.ts";
import { isSignedJson, signJson } from "./json-signing.ts";
import type { Pdu } from "./pdu.ts";
import { redact } from "./redaction.ts";
import { toRoomEvent } from "./room-event.ts";
import { supportedRoomVersions } from "./room-versions.ts";
import { parseStrictJson } from "./strict-json.ts";
import { rulesOfVersion } from "./testing/room-version.ts";
import { specServer, specSigningKey, specVerifyKey } from "./testing/spec-key.ts";
import { testPdu } from "./testing/test-pdu.ts";

const versions = fc.constantFrom(...supportedRoomVersions.map(rulesOfVersion));
const types = fc.constantFrom(
  "m.room.member",
  "m.room.create",
  "m.room.redaction",
  "m.room.power_levels",
  "toString",
);
const contentKeys = fc.constantFrom(
  "membership",
  "third_party_invite",
  "signed",
  "join_authorised_via_users_server",
  "redacts",
  "__proto__",
  "constructor",
);
const contentValues = fc.oneof(fc.constantFrom("join", "invite", "@a:b", "x"), fc.jsonValue({ maxDepth: 2 }));
const changes = fc.record(
  {
    type: fc.oneof(types, fc.jsonValue({ maxDepth: 1 })),
    content: fc.oneof(
      fc.dictionary(contentKeys, contentValues, { noNullPrototype: true }),
      fc.jsonValue({ maxDepth: 1 }),
    ),
    hashes: fc.jsonValue({ maxDepth: 1 }),
    signatures: fc.oneof(
      fc.dictionary(
        fc.constantFrom("domain", "__proto__"),
        fc.dictionary(fc.constantFrom("ed25519:1"), fc.string()),
      ),
      fc.jsonValue({ maxDepth: 2 }),
    ),
    sender: fc.string(),
    depth: fc.double(),
    unsigned: fc.jsonValue({ maxDepth: 1 }),
  },
  { requiredKeys: [], noNullPrototype: true },
);

/** Runs a function and lets only the core's own errors pass. */
function attempt(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
}

t.test("no event makes the core throw anything but its own errors", async (t) => {
  const property = fc.property(versions, changes, (version, change) => {
    // Through text, so that it is what another server could have sent.
    const event = parseStrictJson(JSON.stringify(testPdu(version, change))) as JsonObject;
    const pdu = event as unknown as Pdu;
    attempt(() => contentHash(version, event));
    attempt(() => referenceHash(version, event));
    attempt(() => hasValidContentHash(version, event));
    attempt(() => hashAndSignEvent(version, event, specServer, specSigningKey));
    attempt(() => isEventSignedBy(version, pdu, specServer, [specVerifyKey]));
    attempt(() => redact(version, pdu));
    attempt(() => isSignedJson(event, specServer, [specVerifyKey]));
    attempt(() => signJson(event, specServer, specSigningKey));
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }), "for every event that was tried");
});

t.test("an event of a checked format can be used", async (t) => {
  const content = fc.dictionary(contentKeys, contentValues, { noNullPrototype: true });
  let checked = 0;
  fc.assert(
    fc.property(versions, types, content, (version, type, value) => {
      const event = testPdu(version, { type, content: value });
      attempt(() => {
        const { pdu, encoded } = checkPdu(version, event);
        checked += 1;
        const roomEvent = toRoomEvent(version, pdu);
        t.equal(roomEvent.eventId, eventId(version, pdu, encoded));
        t.type(roomEvent.roomId, "string");
        t.equal(eventId(version, redact(version, pdu)), roomEvent.eventId);
        requiredSigners(version, pdu);
      });
    }),
    { numRuns: 200 },
  );
  t.ok(checked > 50, `${checked} events passed the check`);
});
