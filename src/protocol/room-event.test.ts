import t from "tap";
import type { EventId } from "./identifiers.ts";
import { encodeCanonicalJson } from "./canonical-json.ts";
import type { Pdu } from "./pdu.ts";
import { eventId } from "./event-hash.ts";
import { toRoomEvent } from "./room-event.ts";
import { parseStrictJson } from "./strict-json.ts";
import { rulesOfVersion } from "./testing/room-version.ts";
import { signedTestPdu, testPdu } from "./testing/test-pdu.ts";

t.test("what differs between the event formats is made uniform", async (t) => {
  for (const id of ["1", "3", "11", "12"]) {
    const version = rulesOfVersion(id);
    const pdu = signedTestPdu(version, { state_key: "k" });
    const event = toRoomEvent(version, pdu);
    t.equal(event.pdu, pdu);
    t.equal(event.eventId, id === "1" ? "$e:domain" : eventId(version, pdu));
    t.equal(event.roomId, pdu.room_id);
    t.equal(event.type, "m.room.message");
    t.equal(event.sender, "@u:domain");
    t.equal(event.stateKey, "k");
    t.equal(event.content, pdu.content, "content is shared");
    t.equal(event.originServerTs, 1_000_000);
    t.equal(event.depth, 7);
    t.same(event.prevEventIds, [id === "1" ? "$p:domain" : "$p"]);
    t.same(event.authEventIds, event.prevEventIds);
  }
});

t.test("an ID that is known is not computed", async (t) => {
  const version = rulesOfVersion("12");
  t.equal(toRoomEvent(version, signedTestPdu(version), "$known" as EventId).eventId, "$known");
});

t.test("`redacts` of a redaction, wherever it stands, if it is a string", async (t) => {
  const redactsOf = (id: string, changes: Record<string, unknown>) =>
    toRoomEvent(rulesOfVersion(id), testPdu(rulesOfVersion(id), changes) as unknown as Pdu).redacts;
  const type = "m.room.redaction";
  t.equal(redactsOf("10", { type, redacts: "$a", content: { redacts: "$b" } }), "$a");
  t.equal(redactsOf("11", { type, redacts: "$a", content: { redacts: "$b" } }), "$b");
  t.equal(redactsOf("11", { type, redacts: "$a" }), undefined);
  t.equal(redactsOf("11", { type, content: { redacts: 5 } }), undefined);
  t.equal(redactsOf("11", { content: { redacts: "$b" } }), undefined);
});

t.test("numbers kept as text are plain in the event and unchanged in the PDU", async (t) => {
  const version = rulesOfVersion("5");
  const content =
    '{"__proto__":{"x":1.50},"ban":50.0,"deep":[{"big":9007199254740993}],"users":{"@a:b":100}}';
  const text = JSON.stringify(testPdu(version, { content: "?", depth: "??" }))
    .replace('"?"', content)
    .replace('"??"', "9223372036854775807");
  const pdu = parseStrictJson(text) as unknown as Pdu;
  const event = toRoomEvent(version, pdu);
  t.equal(
    JSON.stringify(event.content),
    '{"__proto__":{"x":1.5},"ban":50,"deep":[{"big":9007199254740992}],"users":{"@a:b":100}}',
  );
  t.equal(event.content["users"], pdu.content["users"], "what has no such number is shared");
  t.equal(event.depth, 2 ** 63);
  t.equal(encodeCanonicalJson(pdu.content, { strict: false }), content);
});
