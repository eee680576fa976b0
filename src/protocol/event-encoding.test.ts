import t from "tap";
import { encodeCanonicalJson } from "./canonical-json.ts";
import { EncodedEvent } from "./event-encoding.ts";
import { redact } from "./redaction.ts";
import { supportedRoomVersions } from "./room-versions.ts";
import { rulesOfVersion } from "./testing/room-version.ts";
import { signedTestPdu } from "./testing/test-pdu.ts";

t.test("the forms of an event are what encoding them by themselves gives", async (t) => {
  for (const version of supportedRoomVersions.map(rulesOfVersion)) {
    const content = { membership: "join", body: "x", reason: { b: 1, a: 2 } };
    const pdu = signedTestPdu(version, { type: "m.room.member", content, unsigned: { age: 1 }, "x.y": [1] });
    const encode = (event: object): string => encodeCanonicalJson(event, { strict: true });
    const { unsigned: _unsigned, ...whole } = pdu;
    const { hashes: _hashes, signatures: _signatures, ...hashed } = whole;
    const { signatures: _redactedSignatures, ...signed } = redact(version, pdu);
    const encoded = new EncodedEvent(version, pdu);
    t.equal(encoded.text(), encode(whole));
    t.equal(encoded.contentHashText(), encode(hashed));
    t.equal(Buffer.from(encoded.signedBytes()).toString(), encode(signed));
  }
});

t.test("an event without members, or without content", async (t) => {
  const version = rulesOfVersion("12");
  t.equal(new EncodedEvent(version, {}).text(), "{}");
  t.equal(Buffer.from(new EncodedEvent(version, {}).signedBytes()).toString(), "{}");
  t.equal(
    Buffer.from(new EncodedEvent(version, { type: "x", a: 1 }).signedBytes()).toString(),
    '{"type":"x"}',
  );
});

t.test("a member that has changed is encoded anew, in every form", async (t) => {
  const event = { hashes: { sha256: "a" }, signatures: {}, type: "x" };
  const encoded = new EncodedEvent(rulesOfVersion("12"), event);
  const before = Buffer.from(encoded.signedBytes()).toString();
  event.hashes = { sha256: "b" };
  encoded.update("hashes");
  t.equal(Buffer.from(encoded.signedBytes()).toString(), before.replace('"a"', '"b"'));
  t.equal(encoded.text(), '{"hashes":{"sha256":"b"},"signatures":{},"type":"x"}');
});
