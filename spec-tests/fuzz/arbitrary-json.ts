import * as fc from "fast-check";
import type { JsonSchema } from "../support/schema-values.ts";

/** Keys that the server looks into where a body may hold anything. */
const contentKeys = [
  "m.relates_to",
  "rel_type",
  "event_id",
  "key",
  "m.in_reply_to",
  "membership",
  "users",
  "users_default",
  "events",
  "state_default",
  "invite",
  "join_rule",
  "allow",
  "type",
  "room_id",
  "redacts",
  "body",
  "msgtype",
  "m.mentions",
  "user_ids",
  "history_visibility",
  "guest_access",
  "alias",
  "alt_aliases",
  "url",
  "displayname",
  "avatar_url",
  "algorithm",
  "signatures",
  "ignored_users",
  "tags",
  "default_action",
  "third_party_invite",
  "join_authorised_via_users_server",
  "reason",
  "name",
  "__proto__",
];

/** What values are made of. */
export interface Vocabulary {
  /** Names of things that exist. */
  readonly names: readonly string[];
  /** Values that take somebody further, by the key under which they stand: passwords, tokens, keys. */
  readonly values: Readonly<Record<string, readonly unknown[]>>;
}

/** Text that a field may hold: a name of something that exists, a word of the protocol, or anything. */
export function arbitraryText(names: readonly string[]): fc.Arbitrary<string> {
  const words = [
    "",
    "join",
    "invite",
    "leave",
    "ban",
    "knock",
    "public",
    "restricted",
    "m.thread",
    "m.replace",
  ];
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...names) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(...words, "m.annotation", "shared", "world_readable", "can_join"),
    },
    { weight: 2, arbitrary: fc.string() },
    { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
    { weight: 1, arbitrary: fc.constantFrom("\ud800", "\u0000", "x".repeat(300), "@:", "!:x", "$") },
  );
}

const arbitraryNumber = fc.oneof(
  fc.integer({ min: -2, max: 100 }),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

/** Any JSON, often with keys and texts that mean something. */
export function arbitraryJson(names: readonly string[]): fc.Arbitrary<unknown> {
  const text = arbitraryText(names);
  const key = fc.oneof(fc.constantFrom(...contentKeys), text);
  const { json } = fc.letrec<{ json: unknown }>((tie) => ({
    json: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.oneof(text, arbitraryNumber, fc.boolean(), fc.constant(null)),
      fc.array(tie("json"), { maxLength: 4 }),
      fc.dictionary(key, tie("json"), { maxKeys: 5, noNullPrototype: true }),
    ),
  }));
  return json;
}

/** Values that fit a schema, as far as their types go. */
export function fittingValue(schema: JsonSchema, vocabulary: Vocabulary): fc.Arbitrary<unknown> {
  const { anyOf, type, items = {} } = schema;
  if (anyOf) return fc.oneof(...anyOf.map((choice) => fittingValue(choice, vocabulary)));
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (type === "string") return arbitraryText(vocabulary.names);
  if (type === "integer") return fc.nat({ max: 200 });
  if (type === "number") return arbitraryNumber;
  if (type === "boolean") return fc.boolean();
  if (type === "null") return fc.constant(null);
  if (type === "array") return fc.array(fittingValue(items, vocabulary), { maxLength: 4 });
  if (type === "object") return fittingObject(schema, vocabulary);
  return arbitraryJson(vocabulary.names);
}

/** Values for a key that a schema declares. */
export function fittingMember(
  name: string,
  schema: JsonSchema,
  vocabulary: Vocabulary,
): fc.Arbitrary<unknown> {
  const fitting = fittingValue(schema, vocabulary);
  const known = vocabulary.values[name];
  if (!known) return fitting;
  return fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: fitting });
}

function fittingObject(schema: JsonSchema, vocabulary: Vocabulary): fc.Arbitrary<unknown> {
  const { properties = {}, required = [] } = schema;
  const members = Object.entries(properties).map(([name, property]) => [
    name,
    fittingMember(name, property, vocabulary),
  ]);
  const declared = fc.record(Object.fromEntries(members) as Record<string, fc.Arbitrary<unknown>>, {
    requiredKeys: [...required],
    noNullPrototype: true,
  });
  const [others] = Object.values(schema.patternProperties ?? {});
  const isOpen = others !== undefined || members.length === 0;
  const further = fc.dictionary(
    fc.oneof(fc.constantFrom(...contentKeys), arbitraryText(vocabulary.names)),
    others ? fittingValue(others, vocabulary) : arbitraryJson(vocabulary.names),
    { maxKeys: isOpen ? 5 : 1, noNullPrototype: true },
  );
  return fc.tuple(declared, further).map(([known, more]) => ({ ...more, ...known }));
}

/** A value in which one part has become something else. */
export function mutated(
  value: fc.Arbitrary<unknown>,
  replacement: fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  const turns = fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 4 });
  return fc.tuple(value, turns, replacement).map(([whole, way, part]) => replaced(whole, way, part));
}

/** @param way which member to go into at each level */
function replaced(value: unknown, [turn, ...way]: readonly number[], part: unknown): unknown {
  if (turn === undefined || typeof value !== "object" || value === null) return part;
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) =>
      index === turn % value.length ? replaced(item, way, part) : item,
    );
  }
  const entries = Object.entries(value);
  return Object.fromEntries(
    entries.map(([key, member], index) => [
      key,
      index === turn % entries.length ? replaced(member, way, part) : member,
    ]),
  );
}

/** What is sent as JSON and is none, or hardly. */
export function brokenJson(json: fc.Arbitrary<unknown>): fc.Arbitrary<string | Buffer> {
  const nested = (levels: number) => `${'{"a":['.repeat(levels)}1${"]}".repeat(levels)}`;
  return fc.oneof(
    fc.tuple(json, fc.nat()).map(([value, end]) => {
      const text = JSON.stringify(value);
      return text.slice(0, end % (text.length + 1));
    }),
    fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom(nested(400), nested(5_000), '{"a":1e999}', '{"a":1,"a":2}', `"${"x".repeat(2_000_000)}"`),
  );
}
