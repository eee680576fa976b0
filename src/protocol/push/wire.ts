import { fillInOwnId } from "./conditions.ts";
import { masterRuleId } from "./default-rules.ts";
import type { DefaultPushRule } from "./default-rules.ts";
import { unknownRule } from "./errors.ts";
import { ownRules } from "./rules.ts";
import type { PushRule, PushRuleset, RuleKind, StoredPushRules } from "./rules.ts";

/**
 * All rules of a user as `GET /pushrules/global/` and `m.push_rules` (under `global`) give them: the most important
 * first, which puts server-default rules behind the user's own, but for the master rule.
 * Specification: "Push Rules: API" and "Predefined Rules".
 */
export function rulesToWire(
  stored: StoredPushRules,
  defaults: readonly DefaultPushRule[],
  userId: string,
): PushRuleset {
  return {
    override: rulesOfKind(stored, defaults, userId, "override"),
    content: rulesOfKind(stored, defaults, userId, "content"),
    postcontent: rulesOfKind(stored, defaults, userId, "postcontent"),
    room: rulesOfKind(stored, defaults, userId, "room"),
    sender: rulesOfKind(stored, defaults, userId, "sender"),
    underride: rulesOfKind(stored, defaults, userId, "underride"),
  };
}

/**
 * One rule as `GET /pushrules/global/{kind}/{ruleId}` gives it.
 *
 * @throws PushRuleError `unknown-rule`
 */
export function ruleToWire(
  stored: StoredPushRules,
  defaults: readonly DefaultPushRule[],
  userId: string,
  kind: RuleKind,
  ruleId: string,
): PushRule {
  const rule = rulesOfKind(stored, defaults, userId, kind).find(({ rule_id }) => rule_id === ruleId);
  if (rule === undefined) throw unknownRule(kind);
  return rule;
}

function rulesOfKind(
  stored: StoredPushRules,
  defaults: readonly DefaultPushRule[],
  userId: string,
  kind: RuleKind,
): PushRule[] {
  const own = ownRules(stored, kind).map((rule) => ({ ...rule, default: false }));
  const ofKind = defaults.filter((rule) => rule.kind === kind);
  const toWire = (rule: DefaultPushRule) =>
    defaultRuleToWire({ ...rule, ...stored.defaultChanges[rule.ruleId] }, userId);
  return [
    ...ofKind.filter(({ ruleId }) => ruleId === masterRuleId).map(toWire),
    ...own,
    ...ofKind.filter(({ ruleId }) => ruleId !== masterRuleId).map(toWire),
  ];
}

function defaultRuleToWire(rule: DefaultPushRule, userId: string): PushRule {
  const { kind, ruleId, enabled, actions, conditions, ownIdCondition } = rule;
  const wire = { rule_id: ruleId, default: true, enabled, actions };
  const ownId = ownIdCondition === undefined ? undefined : fillInOwnId(ownIdCondition, userId);
  if (kind === "content" && typeof ownId?.["pattern"] === "string")
    return { ...wire, pattern: ownId["pattern"] };
  return { ...wire, conditions: ownId === undefined ? conditions : [...conditions, ownId] };
}
