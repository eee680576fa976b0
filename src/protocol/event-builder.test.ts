import t from "tap";
import * as fc from "fast-check";
import { encodeCanonicalJson } from "./canonical-json.ts";
import { CanonicalJsonError, PduFormatError } from "./errors.ts";
import { buildEvent, eventReferences } from "./event-builder.ts";
import type { EventTemplate } from "./event-builder.ts";
import { checkPdu } from "./event-format.ts";
import { createEventIdOfRoom, eventId, hasValidContentHash, referenceHash } from "./event-hash.ts";
import { isEventSignedBy } from "./event-signing.ts";
import type { EventId, RoomId, UserId } from "./identifiers.ts";
import type { JsonObject } from "./json.ts";
import { toRoomEvent } from "./room-event.ts";
import type { RoomVersion } from "./room-versions.ts";
import { supportedRoomVersions } from "./room-versions.ts";
import { rulesOfVersion } from "./testing/room-version.ts";
import { specServer, specSigningKey, specVerifyKey } from "./testing/spec-key.ts";

const versions = supportedRoomVersions.map(rulesOfVersion);
const hashRoom = "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM" as RoomId;

function templateOf(version: RoomVersion, changes: Partial<EventTemplate> = {}): EventTemplate {
  const isNamed = version.eventIdFormat === "named";
  return {
    roomId: version.roomIdIsCreateHash ? hashRoom : ("!r:domain" as RoomId),
    type: "m.room.message",
    sender: "@u:domain" as UserId,
    content: { msgtype: "m.text", body: "hi" },
    depth: 7,
    prevEvents: isNamed ? [["$p:domain", { sha256: "BBBB" }]] : ["$p"],
    authEvents: isNamed ? [["$c:domain", { sha256: "CCCC" }]] : ["$c"],
    originServerTs: 1_000_000,
    eventId: "$new:domain" as EventId,
    ...changes,
  };
}

function build(version: RoomVersion, changes: Partial<EventTemplate> = {}) {
  return buildEvent(version, templateOf(version, changes), specServer, specSigningKey);
}

t.test("a built event is right in every respect that a receiver checks", async (t) => {
  for (const version of versions) {
    for (const changes of [
      {},
      { type: "m.room.member", stateKey: "@u:domain", content: { membership: "join", x: 1 } },
    ]) {
      const { event, canonicalJson } = build(version, changes);
      const { pdu } = event;
      checkPdu(version, pdu);
      t.equal(hasValidContentHash(version, pdu), true);
      t.equal(isEventSignedBy(version, pdu, specServer, [specVerifyKey]), true);
      t.equal(canonicalJson, encodeCanonicalJson(pdu, { strict: true }));
      t.equal(event.eventId, eventId(version, pdu));
      t.equal(event.roomId, pdu.room_id);
      t.equal(event.stateKey, pdu.state_key);
      t.same(event.prevEventIds, [version.eventIdFormat === "named" ? "$p:domain" : "$p"]);
    }
  }
});

t.test("the ID of an event", async (t) => {
  const ids = Object.fromEntries(versions.map((version) => [version.id, build(version).event.eventId]));
  t.equal(ids["1"], "$new:domain");
  t.match(ids["3"], /^\$[A-Za-z0-9+/]{43}$/);
  t.match(ids["4"], /^\$[A-Za-z0-9_-]{43}$/);
  t.equal(
    ids["4"],
    ids["3"]?.replaceAll("+", "-").replaceAll("/", "_"),
    "versions 3 and 4 differ in the alphabet only",
  );
  const { eventId: _eventId, ...unnamed } = templateOf(rulesOfVersion("1"));
  t.throws(() => buildEvent(rulesOfVersion("1"), unnamed, specServer, specSigningKey), PduFormatError);
});

t.test("the create event of version 12 names its room", async (t) => {
  const version = rulesOfVersion("12");
  const { roomId: _roomId, ...template } = templateOf(version, {
    type: "m.room.create",
    stateKey: "",
    content: { room_version: "12" },
    prevEvents: [],
    authEvents: [],
  });
  const { event } = buildEvent(version, template, specServer, specSigningKey);
  t.equal(event.roomId, `!${event.eventId.slice(1)}`);
  t.equal(createEventIdOfRoom(event.roomId), event.eventId);
  t.equal(Object.hasOwn(event.pdu, "room_id"), false);
  t.equal(toRoomEvent(version, event.pdu).roomId, event.roomId, "also for a receiver");
  checkPdu(version, event.pdu);
});

t.test("what a redaction redacts", async (t) => {
  const redacts = "$old" as EventId;
  const early = build(rulesOfVersion("10"), { type: "m.room.redaction", content: { reason: "x" }, redacts });
  t.equal(early.event.pdu.redacts, "$old");
  t.same(early.event.content, { reason: "x" });
  t.equal(early.event.redacts, "$old");
  const late = build(rulesOfVersion("11"), { type: "m.room.redaction", content: { reason: "x" }, redacts });
  t.equal(late.event.pdu.redacts, undefined);
  t.same(late.event.content, { reason: "x", redacts: "$old" });
  t.equal(late.event.redacts, "$old");
  t.equal(
    build(rulesOfVersion("11"), { content: { redacts: "$old" } }).event.redacts,
    undefined,
    "not a redaction",
  );
});

t.test("references to events", async (t) => {
  const v1 = rulesOfVersion("1");
  const v12 = rulesOfVersion("12");
  const named = build(v1).event;
  const hashed = build(v12).event;
  t.same(eventReferences(v1, [named]), [["$new:domain", { sha256: referenceHash(v1, named.pdu) }]]);
  t.same(eventReferences(v12, [hashed, hashed]), [hashed.eventId, hashed.eventId]);
});

t.test("content that no event may have", async (t) => {
  const v5 = rulesOfVersion("5");
  const v6 = rulesOfVersion("6");
  t.throws(() => build(v6, { content: { a: 1.5 } }), CanonicalJsonError);
  t.equal(hasValidContentHash(v5, build(v5, { content: { a: 1.5 } }).event.pdu), true);
  t.throws(() => build(v6, { content: { body: "x".repeat(65_536) } }), PduFormatError);
  t.throws(() => build(v6, { type: "x".repeat(256) }), PduFormatError);
  t.throws(() => build(v6, { stateKey: "x".repeat(256) }), PduFormatError);
});

t.test("keys that JavaScript treats specially are kept", async (t) => {
  const content = JSON.parse('{"__proto__":{"a":1},"2":1,"10":1,"toJSON":"x"}') as JsonObject;
  const { event, canonicalJson } = build(rulesOfVersion("12"), {
    content,
    type: "m.room.redaction",
    redacts: "$x" as EventId,
  });
  t.match(canonicalJson, '"content":{"10":1,"2":1,"__proto__":{"a":1},"redacts":"$x","toJSON":"x"}');
  t.equal(hasValidContentHash(rulesOfVersion("12"), JSON.parse(canonicalJson)), true);
  t.equal(event.redacts, "$x");
});

t.test("the joined forms are those that encoding the whole event gives", async (t) => {
  const content = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 }), { noNullPrototype: true });
  const property = fc.property(
    fc.constantFrom(...versions),
    fc.string({ maxLength: 40 }),
    content,
    (version, type, any) => {
      if (version.strictCanonicalJson) return true;
      const { event, canonicalJson } = build(version, { type, content: any as JsonObject });
      return (
        canonicalJson === encodeCanonicalJson(event.pdu, { strict: false }) &&
        event.eventId === eventId(version, event.pdu) &&
        hasValidContentHash(version, event.pdu)
      );
    },
  );
  t.doesNotThrow(() => fc.assert(property, { numRuns: 60 }), "for every content that was tried");
});
