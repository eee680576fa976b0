import t from "tap";
import * as fc from "fast-check";
import { encodeCanonicalJson } from "./canonical-json.ts";
import { contentHash, referenceHash } from "./event-hash.ts";
import type { JsonObject } from "./json.ts";
import type { Pdu } from "./pdu.ts";
import { redact, redactContent } from "./redaction.ts";
import { supportedRoomVersions } from "./room-versions.ts";
import { rulesOfVersion } from "./testing/room-version.ts";
import { specVectors } from "./testing/spec-vectors.ts";

interface RuleVectors {
  versions: Record<string, { keep_top_level: string[]; keep_content: Record<string, string[]> }>;
}
const rules = specVectors<RuleVectors>("redaction_rules");

interface Case {
  room_version: string;
  name: string;
  event: Pdu;
  content_hash_sha256: string;
  redacted: Pdu;
  reference_hash_base64: string;
}
const cases = specVectors<{ cases: Case[] }>("redaction_and_reference_hash");

t.test("the specification's vectors", { skip: cases.skip }, async (t) => {
  for (const { room_version: id, name, event, redacted, ...hashes } of cases.read().cases) {
    const version = rulesOfVersion(id);
    const before = JSON.stringify(event);
    t.same(redact(version, event), redacted, `${name} of version ${id}`);
    t.same(Object.keys(redact(version, event)).sort(), Object.keys(redacted).sort());
    t.equal(
      contentHash(version, event),
      hashes.content_hash_sha256,
      `${name} of version ${id}: content hash`,
    );
    t.equal(
      referenceHash(version, event),
      hashes.reference_hash_base64,
      `${name} of version ${id}: reference hash`,
    );
    t.equal(
      referenceHash(version, redacted),
      hashes.reference_hash_base64,
      `${name} of version ${id}: redacted`,
    );
    t.equal(JSON.stringify(event), before, "the input is not changed");
  }
});

const content: JsonObject = Object.fromEntries(
  [
    "membership",
    "join_authorised_via_users_server",
    "creator",
    "join_rule",
    "allow",
    "ban",
    "events",
    "events_default",
    "invite",
    "kick",
    "redact",
    "state_default",
    "users",
    "users_default",
    "notifications",
    "aliases",
    "history_visibility",
    "redacts",
    "body",
  ].map((key) => [key, `value of ${key}`]),
);

t.test("the specification's table", { skip: rules.skip }, async (t) => {
  const types = [
    "m.room.member",
    "m.room.create",
    "m.room.join_rules",
    "m.room.power_levels",
    "m.room.aliases",
    "m.room.history_visibility",
    "m.room.redaction",
    "m.room.message",
    "constructor",
  ];
  for (const [id, { keep_top_level: keys, keep_content: keepContent }] of Object.entries(
    rules.read().versions,
  )) {
    const version = rulesOfVersion(id);
    const event = Object.fromEntries(
      [...keys, "redacts", "unsigned", "origin", "membership", "prev_state", "x"].map((key) => [key, key]),
    );
    const kept = Object.keys(redact(version, event as unknown as Pdu)).sort();
    t.same(kept, keys.toSorted(), `version ${id}`);
    for (const type of types) {
      const listed = Object.hasOwn(keepContent, type) ? (keepContent[type] ?? []) : [];
      const expected = listed.includes("*") ? Object.keys(content) : listed;
      const actual = Object.keys(redactContent(version, type, content)).sort();
      t.same(actual, expected.filter((key) => key in content).sort(), `${type} of version ${id}`);
    }
  }
});

t.test("what changed between the versions", async (t) => {
  const keptIn = (id: string, type: string) =>
    Object.keys(redactContent(rulesOfVersion(id), type, content)).sort();
  const table: [type: string, kept: Record<string, string[]>][] = [
    ["m.room.aliases", { 1: ["aliases"], 5: ["aliases"], 6: [], 12: [] }],
    [
      "m.room.join_rules",
      { 1: ["join_rule"], 7: ["join_rule"], 8: ["allow", "join_rule"], 12: ["allow", "join_rule"] },
    ],
    ["m.room.create", { 1: ["creator"], 10: ["creator"], 11: Object.keys(content).sort() }],
    ["m.room.redaction", { 10: [], 11: ["redacts"] }],
    ["m.room.history_visibility", { 1: ["history_visibility"], 12: ["history_visibility"] }],
    [
      "m.room.member",
      {
        1: ["membership"],
        8: ["membership"],
        9: ["join_authorised_via_users_server", "membership"],
        12: ["join_authorised_via_users_server", "membership"],
      },
    ],
  ];
  for (const [type, versions] of table) {
    for (const [id, kept] of Object.entries(versions))
      t.same(keptIn(id, type), kept, `${type} in version ${id}`);
  }
  const levels = [
    "ban",
    "events",
    "events_default",
    "kick",
    "redact",
    "state_default",
    "users",
    "users_default",
  ];
  t.same(keptIn("10", "m.room.power_levels"), levels);
  t.same(keptIn("11", "m.room.power_levels"), [...levels, "invite"].sort());
  const event = {
    type: "x",
    content: {},
    origin: "a",
    membership: "join",
    prev_state: [],
    redacts: "$x",
    unsigned: {},
  };
  const topKeys = (id: string) => Object.keys(redact(rulesOfVersion(id), event as unknown as Pdu));
  t.same(topKeys("10"), ["type", "content", "origin", "membership", "prev_state"]);
  t.same(topKeys("11"), ["type", "content"]);
});

t.test("a signed third-party invite survives from version 11 on", async (t) => {
  const invite = {
    membership: "invite",
    third_party_invite: { display_name: "x", signed: { mxid: "@a:b" } },
  };
  const redactInvite = (id: string, value: JsonObject) =>
    redactContent(rulesOfVersion(id), "m.room.member", value);
  t.same(redactInvite("10", invite), { membership: "invite" });
  t.same(redactInvite("11", invite), {
    membership: "invite",
    third_party_invite: { signed: { mxid: "@a:b" } },
  });
  t.same(redactInvite("11", { third_party_invite: { display_name: "x" } }), { third_party_invite: {} });
  t.same(redactInvite("11", { third_party_invite: "x" }), {});
});

t.test("content of any kind", async (t) => {
  t.same(redactContent(rulesOfVersion("1"), "m.room.member", null), {});
  t.same(redactContent(rulesOfVersion("1"), 5, { membership: "join" }), {});
  const withProto = JSON.parse('{"users":{"__proto__":1},"__proto__":2}') as JsonObject;
  const redacted = redactContent(rulesOfVersion("11"), "m.room.power_levels", withProto);
  t.equal(JSON.stringify(redacted), '{"users":{"__proto__":1}}');
  const create = redactContent(rulesOfVersion("11"), "m.room.create", withProto);
  t.equal(JSON.stringify(create), '{"users":{"__proto__":1},"__proto__":2}');
});

t.test("redaction changes nothing the second time, nor the reference hash, nor its input", async (t) => {
  const key = fc.constantFrom(
    "membership",
    "third_party_invite",
    "signed",
    "users",
    "invite",
    "redacts",
    "body",
    "__proto__",
  );
  const event = fc.record(
    {
      type: fc.constantFrom(
        "m.room.member",
        "m.room.power_levels",
        "m.room.create",
        "m.room.redaction",
        "m.room.message",
      ),
      content: fc.dictionary(key, fc.oneof(fc.integer(), fc.dictionary(key, fc.string())), {
        noNullPrototype: true,
      }),
      depth: fc.nat(),
      redacts: fc.string(),
      membership: fc.string(),
      hashes: fc.constant({ sha256: "x" }),
      signatures: fc.constant({ a: { "ed25519:a": "x" } }),
      unsigned: fc.dictionary(fc.string(), fc.nat()),
    },
    { requiredKeys: ["type", "content"], noNullPrototype: true },
  );
  const property = fc.property(event, fc.constantFrom(...supportedRoomVersions), (input, id) => {
    const version = rulesOfVersion(id);
    const pdu = input as unknown as Pdu;
    const before = JSON.stringify(pdu);
    const once = redact(version, pdu);
    const text = encodeCanonicalJson(once, { strict: true });
    return (
      encodeCanonicalJson(redact(version, once), { strict: true }) === text &&
      referenceHash(version, once) === referenceHash(version, pdu) &&
      JSON.stringify(pdu) === before
    );
  });
  t.doesNotThrow(() => fc.assert(property), "for every event that was tried");
});
