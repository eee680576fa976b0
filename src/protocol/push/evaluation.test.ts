import * as fc from "fast-check";
import t from "tap";
import type { JsonObject, JsonValue } from "../json.ts";
import { PushRuleCompiler } from "./compile.ts";
import { defaultPushRules } from "./default-rules.ts";
import { addRule, setEnabled } from "./edit.ts";
import { untouchedPushRules } from "./rules.ts";
import type { PushCondition, PushRule, StoredPushRules } from "./rules.ts";
import { alice, eventForPush } from "./testing/events.ts";
import { rulesToWire } from "./wire.ts";

const defaults = defaultPushRules({ legacyMentions: false, polls: true });
const compiler = new PushRuleCompiler(defaults);

/** Evaluation as a client would do it from the rules that it gets, one after the other. */
function firstMatchOnWire(
  stored: StoredPushRules,
  event: JsonObject,
  memberCount: number,
): string | undefined {
  const wire = rulesToWire(stored, defaults, alice.userId);
  const matches = ({ enabled, conditions = [] }: PushRule) =>
    enabled && conditions.every((condition) => holdsOnWire(condition, event, memberCount));
  const contentMatches = ({ enabled, pattern = "" }: PushRule) =>
    enabled && holdsOnWire({ kind: "event_match", key: "content.body", pattern }, event, memberCount);
  const first =
    wire.override.find(matches) ??
    wire.content.find(contentMatches) ??
    wire.room.find(({ enabled, rule_id }) => enabled && rule_id === event["room_id"]) ??
    wire.sender.find(({ enabled, rule_id }) => enabled && rule_id === event["sender"]) ??
    wire.underride.find(matches);
  return first?.rule_id;
}

function holdsOnWire(condition: PushCondition, event: JsonObject, memberCount: number): boolean {
  const { kind, key, pattern, value, is } = condition;
  if (kind === "room_member_count") return is === String(memberCount);
  // In these tests nobody has the power to notify a room.
  if (kind === "sender_notification_permission" || typeof key !== "string") return false;
  const found = Object.entries(flatten(event)).find(([path]) => path === key)?.[1];
  if (kind === "event_property_is") return found !== undefined && found === value;
  if (kind === "event_property_contains")
    return Array.isArray(found) && value !== undefined && found.includes(value);
  if (kind !== "event_match" || typeof found !== "string" || typeof pattern !== "string") return false;
  const glob = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[^]*")
    .replaceAll("?", "[^]");
  const boundary = key === "content.body" ? "(?:^|$|(?<![a-z0-9_])|(?![a-z0-9_]))" : "";
  const regexp = key === "content.body" ? `${boundary}(?:${glob})${boundary}` : `^(?:${glob})$`;
  return new RegExp(regexp, "iu").test(found);
}

function flatten(value: JsonValue, path = ""): Record<string, JsonValue> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { [path]: value };
  const parts = Object.entries(value).map(([name, inner]) => {
    const escaped = name.replaceAll(/[\\.]/g, "\\$&");
    return flatten(inner, path === "" ? escaped : `${path}.${escaped}`);
  });
  return Object.assign({}, ...parts);
}

const words = fc.constantFrom("tea", "time", "teatime", "TEA", "@room", "_", "é", "🍵");
const texts = fc.array(words, { maxLength: 5 }).map((list) => list.join(" "));
const patterns = fc.oneof(
  texts,
  fc
    .array(fc.constantFrom("tea", "t", "*", "?", "e", "@", " "), { maxLength: 4 })
    .map((list) => list.join("")),
);
const types = fc.constantFrom(
  "m.room.message",
  "m.room.member",
  "m.room.encrypted",
  "m.reaction",
  "m.room.tombstone",
);
const userIds = fc.constantFrom(alice.userId, "@bob:example.org", "@carol:example.org");
const contents = fc.record(
  {
    body: fc.oneof(texts, fc.constant(7)),
    msgtype: fc.constantFrom("m.text", "m.notice"),
    membership: fc.constantFrom("invite", "join"),
    "m.mentions": fc.record({ user_ids: fc.array(userIds), room: fc.boolean() }, { requiredKeys: [] }),
    "m.relates_to": fc.record({ rel_type: fc.constantFrom("m.replace", "m.thread") }),
  },
  { requiredKeys: [] },
);
const events = fc.record({
  type: types,
  sender: fc.constantFrom("@bob:example.org", "@carol:example.org"),
  roomId: fc.constantFrom("!room:example.org", "!other:example.org"),
  stateKey: fc.option(fc.oneof(fc.constant(""), userIds), { nil: undefined }),
  content: contents,
});
const keys = fc.constantFrom(
  "content.body",
  "type",
  "sender",
  "content.m\\.relates_to.rel_type",
  "content.msgtype",
);
const conditions = fc.oneof(
  fc.record({ kind: fc.constant("event_match"), key: keys, pattern: patterns }),
  fc.record({ kind: fc.constant("event_property_is"), key: keys, value: fc.oneof(texts, types) }),
  fc.record({ kind: fc.constant("room_member_count"), is: fc.constantFrom("2", "3") }),
);
const ownRules = fc.array(
  fc.record({
    kind: fc.constantFrom("override", "content", "room", "sender", "underride"),
    ruleId: fc.oneof(fc.constantFrom("!room:example.org", "@bob:example.org"), fc.string({ minLength: 1 })),
    body: fc.record({
      actions: fc.constant(["notify"]),
      conditions: fc.array(conditions, { maxLength: 3 }),
      pattern: patterns,
    }),
    enabled: fc.boolean(),
  }),
  { maxLength: 6 },
);
const disabledDefaults = fc.subarray(defaults.map((rule) => rule));

t.test("the compiled rules decide as a client does with the rules that it is given", async (t) => {
  let decided = 0;
  fc.assert(
    fc.property(
      ownRules,
      disabledDefaults,
      events,
      fc.constantFrom(2, 3),
      (own, disabled, event, memberCount) => {
        let stored = untouchedPushRules;
        for (const { kind, ruleId, body, enabled } of own) {
          if (/^\.|[/\\]/.test(ruleId)) continue;
          stored = addRule(stored, kind, ruleId, body);
          stored = setEnabled(stored, defaults, kind, ruleId, enabled);
        }
        for (const { kind, ruleId } of disabled) stored = setEnabled(stored, defaults, kind, ruleId, false);

        const { roomId, stateKey, ...others } = event;
        const clientEvent: JsonObject = { ...others, room_id: roomId };
        if (stateKey !== undefined) clientEvent["state_key"] = stateKey;
        const expected = firstMatchOnWire(stored, clientEvent, memberCount);
        const outcome = compiler.compile(stored).evaluate(eventForPush(event, { memberCount }), alice);
        if (expected !== undefined) decided++;
        return outcome?.ruleId === expected;
      },
    ),
    { numRuns: 400 },
  );
  t.ok(decided > 100, "and rules did match");
});

t.test("no stored rules and no event make evaluation throw", async (t) => {
  const anyCondition = fc.record(
    {
      kind: fc.constantFrom(
        "event_match",
        "event_property_is",
        "event_property_contains",
        "room_member_count",
        "x",
      ),
      key: fc.oneof(fc.string(), fc.jsonValue()),
      pattern: fc.oneof(fc.string(), fc.jsonValue()),
      value: fc.jsonValue(),
      is: fc.oneof(fc.string(), fc.jsonValue()),
    },
    { requiredKeys: ["kind"] },
  );
  const anyRule = fc.record({
    rule_id: fc.string(),
    enabled: fc.boolean(),
    actions: fc.array(fc.oneof(fc.string(), fc.record({ set_tweak: fc.string(), value: fc.jsonValue() }))),
    conditions: fc.array(anyCondition),
    pattern: fc.string(),
  });
  const someRules = fc.array(anyRule, { maxLength: 3 });
  const own = fc.record({
    override: someRules,
    content: someRules,
    room: someRules,
    sender: someRules,
    underride: someRules,
  });
  const content = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(own, content, (rules, anyContent) => {
      const stored: StoredPushRules = JSON.parse(JSON.stringify({ own: rules, defaultChanges: {} }));
      const event = eventForPush({ content: JSON.parse(JSON.stringify(anyContent)) });
      const outcome = compiler.compile(stored).evaluate(event, alice);
      return outcome === undefined || typeof outcome.notify === "boolean";
    }),
    { numRuns: 200 },
  );
  t.equal(compiler.untouched.evaluate(eventForPush({ content: {} }), alice)?.ruleId, ".m.rule.message");
});
