import t from "tap";
import { PushRuleCompiler } from "./compile.ts";
import { defaultPushRules } from "./default-rules.ts";
import { addRule, setActions, setEnabled } from "./edit.ts";
import type { EventForPush } from "./event.ts";
import { untouchedPushRules } from "./rules.ts";
import type { RuleKind, StoredPushRules } from "./rules.ts";
import { alice, eventForPush, messageForPush } from "./testing/events.ts";

const defaults = defaultPushRules();
const compiler = new PushRuleCompiler(defaults);
const notify = { actions: ["notify"] };

function decidingRule(stored: StoredPushRules, event: EventForPush, user = alice): string | undefined {
  return compiler.compile(stored).evaluate(event, user)?.ruleId;
}

function withRules(...rules: [kind: RuleKind, ruleId: string, body: object][]): StoredPushRules {
  return rules.reduce((stored, [kind, id, body]) => addRule(stored, kind, id, body), untouchedPushRules);
}

t.test("the kinds are checked in order", async (t) => {
  const rules: [kind: RuleKind, ruleId: string, body: object][] = [
    ["override", "o", notify],
    ["content", "c", { ...notify, pattern: "hello" }],
    ["room", "!room:example.org", notify],
    ["sender", "@bob:example.org", notify],
    ["underride", "u", notify],
  ];
  for (const [index, [, ruleId]] of rules.entries()) {
    t.equal(decidingRule(withRules(...rules.slice(index)), messageForPush("hello")), ruleId);
  }
});

t.test("a user's own rules come before the defaults of their kind, but not before other kinds", async (t) => {
  const notice = messageForPush("hello", { msgtype: "m.notice" });
  t.equal(decidingRule(withRules(["override", "mine", notify]), notice), "mine");
  t.equal(decidingRule(withRules(["underride", "mine", notify]), messageForPush("hello")), "mine");
  t.equal(decidingRule(withRules(["underride", "mine", notify]), notice), ".m.rule.suppress_notices");
  t.equal(decidingRule(withRules(["room", "!room:example.org", notify]), notice), ".m.rule.suppress_notices");
});

t.test("the master rule comes before everything once it is enabled", async (t) => {
  const mine = withRules(["override", "mine", notify]);
  const quiet = setEnabled(mine, defaults, "override", ".m.rule.master", true);
  const outcome = compiler.compile(quiet).evaluate(messageForPush("hello"), alice);
  t.equal(outcome?.ruleId, ".m.rule.master");
  t.equal(outcome?.notify, false);
});

t.test("room and sender rules match their room and sender only", async (t) => {
  const stored = withRules(
    ["room", "!other:example.org", notify],
    ["sender", "@bob:example.org", { actions: [] }],
  );
  const compiled = compiler.compile(stored);
  t.equal(compiled.evaluate(messageForPush("hi"), alice)?.kind, "sender");
  t.equal(compiled.evaluate(eventForPush({ roomId: "!other:example.org" }), alice)?.kind, "room");
  t.equal(compiled.evaluate(eventForPush({ sender: "@carol:example.org" }), alice)?.kind, "underride");
  const wildcard = withRules(["sender", "@*:example.org", { actions: [] }]);
  t.equal(decidingRule(wildcard, messageForPush("hi")), ".m.rule.message", "an ID is no pattern");
});

t.test("a disabled rule never matches", async (t) => {
  const mine = withRules(["override", "mine", notify], ["room", "!room:example.org", notify]);
  const noOverride = setEnabled(mine, defaults, "override", "mine", false);
  t.equal(decidingRule(noOverride, messageForPush("hi")), "!room:example.org");
  const neither = setEnabled(noOverride, defaults, "room", "!room:example.org", false);
  t.equal(decidingRule(neither, messageForPush("hi")), ".m.rule.message");
  const noMessages = setEnabled(neither, defaults, "underride", ".m.rule.message", false);
  t.equal(decidingRule(noMessages, messageForPush("hi")), undefined);
});

t.test("changed actions of a default rule", async (t) => {
  const actions = [
    { set_tweak: "sound", value: "quack" },
    "notify",
    { set_tweak: "highlight", value: false },
  ];
  const stored = setActions(untouchedPushRules, defaults, "underride", ".m.rule.message", actions);
  const outcome = compiler.compile(stored).evaluate(messageForPush("hi"), alice);
  t.match(outcome, { notify: true, highlight: false, tweaks: { sound: "quack", highlight: false }, actions });
  const unchanged = compiler.untouched.evaluate(messageForPush("hi"), alice);
  t.same(unchanged?.tweaks, {}, "others keep the default");
});

t.test("what actions come to", async (t) => {
  const cases: [actions: unknown[], notify: boolean, highlight: boolean, tweaks: object][] = [
    [[], false, false, {}],
    [["dont_notify"], false, false, {}],
    [["notify", "coalesce"], true, false, {}],
    [["notify", { set_tweak: "highlight" }], true, true, { highlight: true }],
    [["notify", { set_tweak: "highlight", value: true }], true, true, { highlight: true }],
    [["notify", { set_tweak: "highlight", value: "yes" }], true, false, { highlight: "yes" }],
    [["notify", { set_tweak: "sound" }], true, false, { sound: true }],
    [["notify", { set_tweak: "org.example", value: null }], true, false, { "org.example": null }],
  ];
  for (const [actions, expectedNotify, expectedHighlight, tweaks] of cases) {
    const compiled = compiler.compile(withRules(["override", "mine", { actions }]));
    const outcome = compiled.evaluate(messageForPush("hi"), alice);
    t.match(outcome, { ruleId: "mine", notify: expectedNotify, highlight: expectedHighlight });
    t.strictSame(outcome?.tweaks, tweaks, JSON.stringify(actions));
    t.notMatch(JSON.stringify(outcome?.actions), /dont_notify|coalesce/);
  }
});

t.test("all conditions must hold", async (t) => {
  const conditions = [
    { kind: "event_match", key: "content.body", pattern: "beer" },
    { kind: "room_member_count", is: "<=10" },
  ];
  const stored = withRules(["override", "beer", { ...notify, conditions }]);
  t.equal(decidingRule(stored, messageForPush("Beer?")), "beer");
  t.equal(decidingRule(stored, messageForPush("Wine?")), ".m.rule.message");
  t.equal(decidingRule(stored, messageForPush("Beer?", {}, { memberCount: 11 })), ".m.rule.message");
  const unknown = withRules(["override", "x", { ...notify, conditions: [{ kind: "org.example" }] }]);
  t.equal(decidingRule(unknown, messageForPush("Beer?")), ".m.rule.message");
});

t.test("nobody is notified of an event of their own", async (t) => {
  const stored = withRules(["override", "mine", notify]);
  const event = eventForPush({ sender: alice.userId });
  t.equal(decidingRule(stored, event), undefined);
});

t.test("users without changes share their rules, and one event serves many users", async (t) => {
  t.equal(compiler.compile(untouchedPushRules), compiler.untouched);
  const restored = setEnabled(
    setEnabled(untouchedPushRules, defaults, "underride", ".m.rule.call", false),
    defaults,
    "underride",
    ".m.rule.call",
    true,
  );
  t.equal(compiler.compile(restored), compiler.untouched, "a change taken back is none");

  const event = messageForPush("hi", { "m.mentions": { user_ids: [alice.userId] } });
  const carol = { userId: "@carol:example.org", displayName: "Carol" };
  const mine = compiler.compile(withRules(["override", "mine", notify]));
  t.equal(compiler.untouched.evaluate(event, carol)?.ruleId, ".m.rule.message");
  t.equal(compiler.untouched.evaluate(event, alice)?.ruleId, ".m.rule.is_user_mention");
  t.equal(mine.evaluate(event, alice)?.ruleId, "mine");
  t.equal(compiler.untouched.evaluate(event, carol)?.ruleId, ".m.rule.message");
});
