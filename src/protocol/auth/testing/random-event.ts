import * as fc from "fast-check";
import type { EventId } from "../../identifiers.ts";
import type { JsonObject, JsonValue } from "../../json.ts";
import { type Draft, user } from "./test-event.ts";

const people = ["alice", "bob", "@eve:elsewhere.org"].map(user);
const words = "join leave ban invite knock public restricted knock_restricted token 12 50".split(" ");
const contentKeys =
  "membership join_rule join_authorised_via_users_server third_party_invite signed mxid token signatures public_key " +
  "public_keys creator additional_creators room_version m.federate users users_default events events_default " +
  "state_default ban kick invite redact notifications room ed25519:0 __proto__ constructor toString";
const keys = [...contentKeys.split(" "), ...people];

const scalars: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constantFrom<JsonValue>(...words, ...people, null, true, false),
  fc.constantFrom<JsonValue>(
    0,
    50,
    100,
    -1,
    50.5,
    Number.POSITIVE_INFINITY,
    Number.MAX_VALUE,
    2 ** 60,
    "A".repeat(43),
  ),
  fc.string({ unit: "binary" }),
);

const values = fc.letrec<{ value: JsonValue; object: JsonObject }>((tie) => ({
  object: fc.array(fc.tuple(fc.constantFrom(...keys), tie("value")), { maxLength: 6 }).map(toObject),
  value: fc.oneof({ depthSize: "small" }, scalars, tie("object"), fc.array(tie("value"), { maxLength: 3 })),
}));

/** As from a parser: `__proto__` is a key like any other. */
function toObject(entries: readonly (readonly [string, JsonValue])[]): JsonObject {
  const object: JsonObject = {};
  for (const [key, value] of entries) {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return object;
}

const types = "create member power_levels join_rules third_party_invite aliases redaction topic"
  .split(" ")
  .map((name) => `m.room.${name}`);

/** An event whose envelope has the right form, and whose content may be any JSON. */
export const anyEvents: fc.Arbitrary<Draft> = fc.record({
  type: fc.constantFrom(...types, "__proto__"),
  sender: fc.constantFrom(...people),
  key: fc.constantFrom(undefined, "", "token", "example.org", ...people),
  content: values.object,
  prev: fc.subarray(["$create", "$other"] as EventId[]),
  redacts: fc.constantFrom("$other", "$other:example.org", "$:[", ""),
  roomId: fc.constantFrom(undefined, "!create", "!room:example.org", "!room", "!:"),
  ts: fc.nat(3),
  depth: fc.nat(3),
});
