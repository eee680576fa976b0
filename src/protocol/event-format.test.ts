import t from "tap";
import * as fc from "fast-check";
import { PduFormatError } from "./errors.ts";
import { checkPdu, maxPduBytes } from "./event-format.ts";
import type { RoomVersion } from "./room-versions.ts";
import { supportedRoomVersions } from "./room-versions.ts";
import { parseStrictJson } from "./strict-json.ts";
import { rulesOfVersion } from "./testing/room-version.ts";
import { testPdu } from "./testing/test-pdu.ts";

/** The reason for which an object is refused. */
function refusal(version: RoomVersion, value: unknown): string | undefined {
  try {
    checkPdu(version, value);
    return undefined;
  } catch (error) {
    if (error instanceof PduFormatError) return error.reason;
    throw error;
  }
}

const versions = supportedRoomVersions.map(rulesOfVersion);
const v1 = rulesOfVersion("1");
const v5 = rulesOfVersion("5");
const v11 = rulesOfVersion("11");
const v12 = rulesOfVersion("12");

t.test("an event of every room version", async (t) => {
  for (const version of versions) {
    const pdu = testPdu(version);
    const checked = checkPdu(version, pdu);
    t.equal(checked.pdu, pdu, "it is not copied");
    t.same(JSON.parse(checked.encoded.text()), pdu);
    t.equal(
      refusal(version, testPdu(version, { state_key: "", unsigned: { age: 1 }, "x.y": {} })),
      undefined,
    );
  }
});

t.test("keys that every event must have", async (t) => {
  for (const version of versions) {
    for (const key of Object.keys(testPdu(version))) {
      const { [key]: _removed, ...rest } = testPdu(version);
      t.ok(refusal(version, rest), `version ${version.id} without ${key}`);
    }
  }
});

t.test("types", async (t) => {
  const wrong: Record<string, unknown> = {
    type: 1,
    sender: null,
    room_id: [],
    state_key: 0,
    content: [],
    origin_server_ts: "1",
    depth: 1.5,
    prev_events: {},
    auth_events: null,
    hashes: [],
    signatures: "x",
    unsigned: [],
  };
  for (const version of versions) {
    for (const [key, value] of Object.entries(wrong)) {
      t.equal(
        refusal(version, testPdu(version, { [key]: value })),
        "wrong-type",
        `version ${version.id}: ${key}`,
      );
    }
    t.equal(refusal(version, testPdu(version, { hashes: { sha256: 1 } })), "wrong-type");
    t.equal(refusal(version, testPdu(version, { signatures: { a: { "ed25519:a": 1 } } })), "wrong-type");
    t.equal(refusal(version, testPdu(version, { signatures: { a: "x" } })), "wrong-type");
  }
  for (const value of [null, [], "x", 1, undefined]) t.equal(refusal(v12, value), "wrong-type");
});

t.test("identifiers", async (t) => {
  for (const version of versions) {
    t.equal(refusal(version, testPdu(version, { sender: "u:domain" })), "invalid-identifier");
    t.equal(
      refusal(version, testPdu(version, { sender: "@U ser:domain" })),
      undefined,
      "a historical user ID",
    );
    t.equal(refusal(version, testPdu(version, { room_id: "#r:domain" })), "invalid-identifier");
    t.equal(refusal(version, testPdu(version, { prev_events: ["p"] })), "invalid-identifier");
    t.equal(refusal(version, testPdu(version, { auth_events: [["$p:domain"]] })), "invalid-identifier");
  }
  const hashRoom = "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM";
  t.equal(refusal(v11, testPdu(v11, { room_id: hashRoom })), "invalid-identifier");
  t.equal(refusal(v12, testPdu(v12, { room_id: "!r:domain" })), "invalid-identifier");
  t.equal(
    refusal(v1, testPdu(v1, { event_id: "$CD66HAED5npg6074c6pDtLKalHjVfYb2q4Q3LZgrW6o" })),
    "invalid-identifier",
  );
  t.equal(refusal(v1, testPdu(v1, { prev_events: ["$p:domain"] })), "invalid-identifier");
  t.equal(
    refusal(v11, testPdu(v11, { prev_events: [["$p:domain", { sha256: "x" }]] })),
    "invalid-identifier",
  );
});

t.test("the create event", async (t) => {
  const create = { type: "m.room.create", state_key: "", prev_events: [], auth_events: [] };
  for (const version of versions) {
    const expected = version.roomIdIsCreateHash ? "forbidden-key" : undefined;
    t.equal(refusal(version, testPdu(version, create)), expected);
  }
  const { room_id: _roomId, ...withoutRoom } = testPdu(v12, create);
  t.equal(refusal(v12, withoutRoom), undefined);
  t.equal(refusal(v11, withoutRoom), "missing-key");
});

t.test("limits", async (t) => {
  const references = (version: RoomVersion, count: number): unknown[] =>
    Array.from({ length: count }, (_, index) =>
      version === v1 ? [`$${index}:domain`, { sha256: "x" }] : `$${index}`,
    );
  for (const version of [v1, v12]) {
    // Servers have not always measured in bytes.
    const inCodePoints = version === v1 ? undefined : "too-large";
    t.equal(refusal(version, testPdu(version, { prev_events: references(version, 20) })), undefined);
    t.equal(refusal(version, testPdu(version, { prev_events: references(version, 21) })), "too-large");
    t.equal(refusal(version, testPdu(version, { auth_events: references(version, 10) })), undefined);
    t.equal(refusal(version, testPdu(version, { auth_events: references(version, 11) })), "too-large");
    for (const key of ["type", "state_key"]) {
      t.equal(refusal(version, testPdu(version, { [key]: "é".repeat(127) })), undefined);
      for (const long of ["é".repeat(128), "💥".repeat(255)])
        t.equal(refusal(version, testPdu(version, { [key]: long })), inCodePoints);
      t.equal(refusal(version, testPdu(version, { [key]: "💥".repeat(256) })), "too-large");
    }
    t.equal(
      refusal(version, testPdu(version, { sender: `@${"a".repeat(250)}:domain` })),
      "invalid-identifier",
    );
  }
});

t.test("the size of an event in canonical JSON, `unsigned` left out", async (t) => {
  const withBody = (body: string) => testPdu(v12, { content: { body }, unsigned: { age: 12_345 } });
  const { unsigned: _unsigned, ...empty } = withBody("");
  const room = maxPduBytes - Buffer.byteLength(JSON.stringify(empty));
  t.equal(refusal(v12, withBody("x".repeat(room))), undefined);
  t.equal(refusal(v12, withBody("x".repeat(room + 1))), "too-large");
  t.equal(refusal(v12, withBody("é".repeat(room / 2 + 1))), "too-large");
  t.equal(refusal(v12, withBody("é".repeat(Math.floor(room / 2)))), undefined);
});

t.test("integers", async (t) => {
  const withNumber = (version: RoomVersion, key: string, source: string): unknown =>
    parseStrictJson(JSON.stringify(testPdu(version, { [key]: "?" })).replace('"?"', source));
  const cases: [key: string, source: string, early: string | undefined, late: string | undefined][] = [
    ["depth", "0", undefined, undefined],
    ["depth", "-0", undefined, undefined],
    ["depth", "-1", "out-of-range", "out-of-range"],
    ["depth", "9007199254740991", undefined, undefined],
    ["depth", "9007199254740992", undefined, "out-of-range"],
    ["depth", "9223372036854775807", undefined, "out-of-range"],
    ["depth", "9223372036854775808", "out-of-range", "out-of-range"],
    ["depth", "-9223372036854775807", "out-of-range", "out-of-range"],
    ["depth", "1.0", "wrong-type", "wrong-type"],
    ["depth", "1e3", "wrong-type", "wrong-type"],
    ["origin_server_ts", "-1", undefined, undefined],
    ["origin_server_ts", "9223372036854775807", undefined, "out-of-range"],
    ["origin_server_ts", "99999999999999999999", "wrong-type", "wrong-type"],
  ];
  for (const [key, source, early, late] of cases) {
    t.equal(refusal(v5, withNumber(v5, key, source)), early, `${key} ${source} in version 5`);
    t.equal(refusal(v12, withNumber(v12, key, source)), late, `${key} ${source} in version 12`);
  }
});

t.test("canonical JSON is enforced from version 6 on", async (t) => {
  for (const source of ["1.5", "1.0", "1e3", "9007199254740992"]) {
    for (const version of versions) {
      const text = JSON.stringify(testPdu(version, { content: { a: ["?"] } })).replace('"?"', source);
      const expected = version.strictCanonicalJson ? "not-canonical" : undefined;
      t.equal(refusal(version, parseStrictJson(text)), expected, `${source} in version ${version.id}`);
    }
  }
  t.equal(refusal(v5, testPdu(v5, { content: { a: "\ud800" } })), "not-canonical");
});

t.test("a number kept as text is no object", async (t) => {
  for (const key of ["content", "hashes", "signatures", "unsigned", "sender", "prev_events"]) {
    const text = JSON.stringify(testPdu(v5, { [key]: "?" })).replace('"?"', "1.0");
    t.equal(refusal(v5, parseStrictJson(text)), "wrong-type", key);
  }
});

t.test("`redacts` is a string where it stands at the top", async (t) => {
  t.equal(refusal(rulesOfVersion("10"), testPdu(v11, { redacts: 5 })), "wrong-type");
  t.equal(refusal(v11, testPdu(v11, { redacts: 5 })), undefined);
});

t.test("no object makes the check throw anything but its own error", async (t) => {
  const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.anything({ maxDepth: 2, withBigInt: true }));
  const keys = fc.constantFrom(...Object.keys(testPdu(v1)), "state_key", "redacts", "unsigned", "__proto__");
  const property = fc.property(
    fc.constantFrom(...versions),
    fc.dictionary(keys, odd, { maxKeys: 3 }),
    odd,
    (version, changes, any) => {
      refusal(version, testPdu(version, changes));
      refusal(version, any);
    },
  );
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }), "for every object that was tried");
});
