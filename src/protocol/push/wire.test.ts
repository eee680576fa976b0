import t from "tap";
import { defaultPushRules } from "./default-rules.ts";
import { addRule, setActions, setEnabled } from "./edit.ts";
import { PushRuleError } from "./errors.ts";
import { untouchedPushRules } from "./rules.ts";
import type { PushRule } from "./rules.ts";
import { rulesToWire, ruleToWire } from "./wire.ts";

const userId = "@alice:example.org";
const defaults = defaultPushRules();

function ids(rules: readonly PushRule[]): string[] {
  return rules.map(({ rule_id }) => rule_id);
}

t.test("the rules of a user who never changed one, in the order of the specification", async (t) => {
  const wire = rulesToWire(untouchedPushRules, defaults, userId);
  t.strictSame(ids(wire.override), [
    ".m.rule.master",
    ".m.rule.suppress_notices",
    ".m.rule.invite_for_me",
    ".m.rule.member_event",
    ".m.rule.is_user_mention",
    ".m.rule.is_room_mention",
    ".m.rule.tombstone",
    ".m.rule.reaction",
    ".m.rule.room.server_acl",
    ".m.rule.suppress_edits",
  ]);
  t.strictSame([wire.content, wire.room, wire.sender], [[], [], []]);
  t.strictSame(ids(wire.underride), [
    ".m.rule.call",
    ".m.rule.encrypted_room_one_to_one",
    ".m.rule.room_one_to_one",
    ".m.rule.message",
    ".m.rule.encrypted",
  ]);
});

t.test("the user's ID is filled in", async (t) => {
  const wire = (kind: "override" | "content", ruleId: string) =>
    ruleToWire(untouchedPushRules, defaultPushRules({ legacyMentions: true }), userId, kind, ruleId);
  t.strictSame(wire("override", ".m.rule.invite_for_me"), {
    rule_id: ".m.rule.invite_for_me",
    default: true,
    enabled: true,
    conditions: [
      { kind: "event_match", key: "type", pattern: "m.room.member" },
      { kind: "event_match", key: "content.membership", pattern: "invite" },
      { kind: "event_match", key: "state_key", pattern: userId },
    ],
    actions: ["notify", { set_tweak: "sound", value: "default" }],
  });
  t.strictSame(wire("override", ".m.rule.is_user_mention").conditions, [
    { kind: "event_property_contains", key: "content.m\\.mentions.user_ids", value: userId },
  ]);
  const userName = wire("content", ".m.rule.contains_user_name");
  t.equal(userName.pattern, "alice");
  t.equal(userName.conditions, undefined);
});

t.test("own rules stand between the master rule and the other defaults, with changes applied", async (t) => {
  let stored = addRule(untouchedPushRules, "override", "mine", { actions: [] });
  stored = addRule(stored, "room", "!room:example.org", { actions: ["notify"] });
  stored = setEnabled(stored, defaults, "override", ".m.rule.master", true);
  stored = setActions(stored, defaults, "underride", ".m.rule.message", []);
  const { override, room, underride } = rulesToWire(stored, defaults, userId);
  t.strictSame(ids(override).slice(0, 3), [".m.rule.master", "mine", ".m.rule.suppress_notices"]);
  t.equal(override[0]?.enabled, true);
  t.strictSame(room, [{ rule_id: "!room:example.org", default: false, enabled: true, actions: ["notify"] }]);
  t.strictSame(underride.find(({ rule_id }) => rule_id === ".m.rule.message")?.actions, []);
});

t.test("changes to a default that is no longer there are ignored", async (t) => {
  const withPolls = defaultPushRules({ polls: true });
  const pollEnd = ".org.matrix.msc3930.rule.poll_end";
  const stored = setEnabled(untouchedPushRules, withPolls, "underride", pollEnd, false);
  t.equal(ruleToWire(stored, withPolls, userId, "underride", pollEnd).enabled, false);
  t.strictSame(rulesToWire(stored, defaults, userId), rulesToWire(untouchedPushRules, defaults, userId));
});

t.test("a rule that is not there", async (t) => {
  const find = (kind: "override" | "room", ruleId: string) => () =>
    ruleToWire(untouchedPushRules, defaults, userId, kind, ruleId);
  t.throws(
    find("override", "mine"),
    new PushRuleError("unknown-rule", "You have no override rule with this ID."),
  );
  t.throws(
    find("room", ".m.rule.master"),
    { name: "PushRuleError", reason: "unknown-rule" },
    "one of another kind",
  );
});
