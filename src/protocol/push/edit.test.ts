import * as fc from "fast-check";
import t from "tap";
import type { Test } from "tap";
import { defaultPushRules } from "./default-rules.ts";
import { addRule, deleteRule, setActions, setEnabled } from "./edit.ts";
import { PushRuleError } from "./errors.ts";
import { ownRules, pushRuleLimits, ruleKinds, untouchedPushRules } from "./rules.ts";
import type { StoredPushRules } from "./rules.ts";
import { parseRuleKind } from "./validation.ts";

const defaults = defaultPushRules();
const notify = { actions: ["notify"] };
const none = untouchedPushRules;

function roomRules(...ids: string[]): StoredPushRules {
  return ids.toReversed().reduce((stored, id) => addRule(stored, "room", id, notify), none);
}

function order(stored: StoredPushRules): string {
  return stored.own.room.map(({ rule_id }) => rule_id).join("");
}

function refuses(
  t: Test,
  reason: PushRuleError["reason"],
  change: () => unknown,
  name: string = reason,
): void {
  t.throws(change, { name: "PushRuleError", reason, message: /\w/ }, name);
}

t.test("where a rule goes", async (t) => {
  const abc = roomRules("a", "b", "c");
  t.equal(order(abc), "abc", "a new rule is the most important one");
  t.equal(order(addRule(abc, "room", "n", notify, { before: "b" })), "anbc");
  t.equal(order(addRule(abc, "room", "n", notify, { after: "b" })), "abnc");
  t.equal(order(addRule(abc, "room", "n", notify, { before: "c", after: "a" })), "abnc", "`before` counts");
  t.equal(order(addRule(abc, "room", "c", notify, { before: "a" })), "cab", "an old rule moves");
  t.equal(order(addRule(abc, "room", "a", notify, { after: "c" })), "bca");
  t.equal(order(addRule(abc, "room", "b", notify)), "abc", "an old rule without a place stays");
  t.equal(order(addRule(abc, "room", "b", notify, { before: "b" })), "abc");
  refuses(t, "unknown-neighbour", () => addRule(abc, "room", "n", notify, { before: "x" }));
  refuses(t, "unknown-neighbour", () => addRule(abc, "room", "n", notify, { after: "n" }));
  refuses(t, "unknown-neighbour", () => addRule(abc, "sender", "n", notify, { after: "a" }), "another kind");
  refuses(t, "unknown-neighbour", () => addRule(none, "override", "n", notify, { after: ".m.rule.master" }));
});

t.test("a rule that is replaced", async (t) => {
  const off = setEnabled(roomRules("a"), defaults, "room", "a", false);
  const replaced = addRule(off, "room", "a", { actions: [] });
  t.strictSame(replaced.own.room, [{ rule_id: "a", enabled: false, actions: [] }]);
  t.strictSame(addRule(off, "room", "b", notify).own.room[0]?.enabled, true, "a new rule is enabled");
  t.strictSame(
    off.own.room,
    [{ rule_id: "a", enabled: false, actions: ["notify"] }],
    "nothing changes in place",
  );
});

t.test("a rule has the parameters of its kind and no others", async (t) => {
  const conditions = [{ kind: "org.example.moon", phase: ["full"] }];
  const body = { actions: [], conditions, pattern: "x", enabled: false, default: true, rule_id: "y" };
  const base = { rule_id: "id", enabled: true, actions: [] };
  t.strictSame(addRule(none, "override", "id", body).own.override, [{ ...base, conditions }]);
  t.strictSame(addRule(none, "underride", "id", { actions: [] }).own.underride, [
    { ...base, conditions: [] },
  ]);
  t.strictSame(addRule(none, "content", "id", body).own.content, [{ ...base, pattern: "x" }]);
  t.strictSame(addRule(none, "sender", "id", body).own.sender, [base]);
});

t.test("IDs and kinds", async (t) => {
  for (const id of ["", ".mine", "a/b", "a\\b"]) {
    refuses(t, "invalid-parameter", () => addRule(none, "override", id, notify), id);
  }
  refuses(t, "too-large", () => addRule(none, "room", "x".repeat(pushRuleLimits.ruleIdLength + 1), notify));
  t.equal(addRule(none, "room", "__proto__", notify).own.room.length, 1);
  for (const kind of ruleKinds) t.equal(parseRuleKind(kind), kind);
  for (const kind of ["device", "", "__proto__", "Override"]) {
    refuses(t, "invalid-parameter", () => parseRuleKind(kind), kind);
  }
});

t.test("bodies that make no sense", async (t) => {
  const condition = (only: unknown) => ({ actions: [], conditions: [only] });
  const cases: [reason: PushRuleError["reason"], kind: "override" | "content", body: object][] = [
    ["missing-parameter", "override", {}],
    ["invalid-parameter", "override", { actions: "notify" }],
    ["invalid-parameter", "override", { actions: ["not_an_action"] }],
    ["invalid-parameter", "override", { actions: [{}] }],
    ["invalid-parameter", "override", { actions: [{ set_tweak: 1 }] }],
    ["invalid-parameter", "override", { actions: [null] }],
    ["invalid-parameter", "override", { actions: [], conditions: {} }],
    ["invalid-parameter", "override", condition({})],
    ["invalid-parameter", "override", condition("event_match")],
    ["invalid-parameter", "override", condition({ kind: "org.example", key: 1 })],
    ["missing-parameter", "override", condition({ kind: "event_match", key: "type" })],
    ["missing-parameter", "override", condition({ kind: "event_match", pattern: "x" })],
    ["missing-parameter", "override", condition({ kind: "event_property_is", key: "type" })],
    ["invalid-parameter", "override", condition({ kind: "event_property_is", key: "type", value: [] })],
    [
      "invalid-parameter",
      "override",
      condition({ kind: "event_property_contains", key: "type", value: 0.5 }),
    ],
    ["missing-parameter", "override", condition({ kind: "room_member_count" })],
    ["invalid-parameter", "override", condition({ kind: "room_member_count", is: "many" })],
    ["missing-parameter", "override", condition({ kind: "sender_notification_permission" })],
    ["missing-parameter", "content", { actions: [] }],
    ["invalid-parameter", "content", { actions: [], pattern: ["x"] }],
  ];
  for (const [reason, kind, body] of cases) {
    refuses(t, reason, () => addRule(none, kind, "id", body), JSON.stringify(body));
  }
});

t.test("limits", async (t) => {
  const long = "x".repeat(pushRuleLimits.patternLength + 1);
  const deep: unknown = JSON.parse(`${"[".repeat(5000)}${"]".repeat(5000)}`);
  const pattern = { kind: "event_match", key: "type", pattern: long };
  const manyConditions = Array.from({ length: pushRuleLimits.conditionsPerRule + 1 }, () => ({ kind: "x" }));
  const bodies: [kind: "override" | "content", body: object][] = [
    ["content", { actions: [], pattern: long }],
    ["override", { actions: [], conditions: [pattern] }],
    ["override", { actions: Array(pushRuleLimits.actionsPerRule + 1).fill("notify") }],
    ["override", { actions: [], conditions: manyConditions }],
    ["override", { actions: [{ set_tweak: "x", value: "y".repeat(pushRuleLimits.ruleSize) }] }],
    ["override", { actions: [{ set_tweak: "x", value: deep }] }],
    ["override", { actions: [], conditions: [{ kind: "x", deep }] }],
    ["override", { actions: [], conditions: [{ kind: "x", y: "z".repeat(pushRuleLimits.ruleSize) }] }],
  ];
  for (const [kind, body] of bodies) refuses(t, "too-large", () => addRule(none, kind, "id", body));
});

t.test("the number of rules is limited, but a full list can be changed", async (t) => {
  const ids = Array.from({ length: pushRuleLimits.rulesPerKind }, (_, index) => `!${index}`);
  const rules = ids.map((rule_id) => ({ rule_id, enabled: true, actions: [] }));
  const full: StoredPushRules = { ...none, own: { ...none.own, room: rules } };
  refuses(t, "too-large", () => addRule(full, "room", "!more", notify));
  t.equal(addRule(full, "room", "!5", notify).own.room.length, pushRuleLimits.rulesPerKind);
  t.equal(addRule(full, "sender", "@more", notify).own.sender.length, 1);
});

t.test("patterns that take a scan are limited, in all rules together", async (t) => {
  const scan = (pattern: string) => ({ kind: "event_match", key: "content.body", pattern });
  const perRule = 25;
  let stored = none;
  for (let rule = 0; rule < pushRuleLimits.scanningPatterns / perRule; rule++) {
    const conditions = Array.from({ length: perRule }, (_, index) => scan(`two words ${rule} ${index}`));
    stored = addRule(stored, "override", `rule ${rule}`, { actions: [], conditions });
  }
  refuses(t, "too-large", () => addRule(stored, "content", "more", { actions: [], pattern: "m*re" }));
  refuses(t, "too-large", () =>
    addRule(stored, "underride", "x", { actions: [], conditions: [scan("a b")] }),
  );
  t.equal(addRule(stored, "content", "word", { actions: [], pattern: "word" }).own.content.length, 1);
  t.equal(addRule(stored, "override", "rule 0", { actions: [] }).own.override.length, 4);
});

t.test("deleting", async (t) => {
  t.equal(order(deleteRule(roomRules("a", "b", "c"), "room", "b")), "ac");
  refuses(t, "unknown-rule", () => deleteRule(roomRules("a"), "room", "b"));
  refuses(t, "unknown-rule", () => deleteRule(roomRules("a"), "sender", "a"));
  refuses(t, "unknown-rule", () => deleteRule(none, "override", ".m.rule.master"));
});

t.test("enabling and actions", async (t) => {
  const master = ".m.rule.master";
  const on = setEnabled(none, defaults, "override", master, true);
  t.strictSame(on.defaultChanges, { [master]: { enabled: true } });
  const both = setActions(on, defaults, "override", master, ["notify"]);
  t.strictSame(both.defaultChanges, { [master]: { enabled: true, actions: ["notify"] } });
  t.strictSame(setEnabled(both, defaults, "override", master, false).defaultChanges, {
    [master]: { actions: ["notify"] },
  });
  t.strictSame(setActions(on, defaults, "override", master, []).defaultChanges, on.defaultChanges);
  t.strictSame(setEnabled(on, defaults, "override", master, false), none, "back to the default");
  t.strictSame(setActions(roomRules("a"), defaults, "room", "a", ["dont_notify"]).own.room, [
    { rule_id: "a", enabled: true, actions: ["dont_notify"] },
  ]);
  refuses(t, "unknown-rule", () => setEnabled(none, defaults, "override", ".not.a.default.rule", true));
  refuses(t, "unknown-rule", () => setEnabled(none, defaults, "underride", master, true), "another kind");
  refuses(t, "unknown-rule", () => setActions(none, defaults, "sender", "@bob:example.org", ["notify"]));
  refuses(t, "unknown-rule", () => setEnabled(none, defaults, "override", "__proto__", true));
  refuses(t, "invalid-parameter", () => setActions(none, defaults, "override", master, ["shout"]));
  refuses(t, "missing-parameter", () => setActions(none, defaults, "override", master, undefined));
});

t.test("whatever a client sends, a change is made or refused with our own error", async (t) => {
  const kinds = fc.constantFrom(...ruleKinds);
  const anyId = fc.oneof(fc.string(), fc.constantFrom("a", "b", "__proto__", ".m.rule.master"));
  const conditions = fc.array(
    fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          kind: fc.constantFrom("event_match", "event_property_is", "room_member_count", "other"),
          key: fc.oneof(fc.jsonValue(), fc.string()),
          pattern: fc.oneof(fc.jsonValue(), fc.string()),
          value: fc.jsonValue(),
          is: fc.oneof(fc.jsonValue(), fc.constantFrom("2", ">3")),
        },
        { requiredKeys: ["kind"] },
      ),
    ),
  );
  const actions = fc.array(
    fc.oneof(fc.jsonValue(), fc.constant("notify"), fc.constant({ set_tweak: "sound" })),
  );
  const bodies = fc.record({ actions, conditions, pattern: fc.jsonValue() }, { requiredKeys: [] });
  const places = fc.record({ before: anyId, after: anyId }, { requiredKeys: [] });
  const start = addRule(addRule(none, "override", "a", notify), "override", "b", notify);
  fc.assert(
    fc.property(kinds, anyId, bodies, places, (kind, id, body, place) => {
      try {
        const stored = addRule(start, kind, id, body, place);
        return ownRules(stored, kind).some(({ rule_id }) => rule_id === id);
      } catch (error) {
        return error instanceof PushRuleError;
      }
    }),
    { numRuns: 500 },
  );
  const ids = start.own.override.map(({ rule_id }) => rule_id);
  t.strictSame(ids, ["b", "a"], "and the rules it started from are as they were");
});

t.test("rules of the server's own kind can be changed, and no others added or deleted", async (t) => {
  const rules = defaultPushRules({ threadSubscriptions: true });
  const ruleId = ".io.element.msc4306.rule.subscribed_thread";
  const changed = setEnabled(none, rules, "postcontent", ruleId, false);
  t.strictSame(changed.defaultChanges, { [ruleId]: { enabled: false } });
  t.throws(() => addRule(none, "postcontent", "mine", notify), {
    name: "PushRuleError",
    reason: "invalid-parameter",
  });
  t.throws(() => deleteRule(none, "postcontent", "mine"), { name: "PushRuleError", reason: "unknown-rule" });
  t.throws(() => setEnabled(none, rules, "postcontent", "mine", true), {
    name: "PushRuleError",
    reason: "unknown-rule",
  });
});
