import type { DefaultPushRule } from "./default-rules.ts";
import { PushRuleError, unknownRule } from "./errors.ts";
import { isOwnRuleKind, ownRuleKinds, ownRules, pushRuleLimits } from "./rules.ts";
import type {
  DefaultRuleChange,
  OwnPushRule,
  OwnRuleKind,
  PushAction,
  RuleKind,
  StoredPushRules,
} from "./rules.ts";
import { countScanningPatterns, parseActions, parseOwnRule } from "./validation.ts";
import type { PushRuleBody } from "./validation.ts";

/** Where a rule goes among the user's own rules of its kind: with both given, `before` counts. */
export interface RulePlace {
  readonly before?: string | undefined;
  readonly after?: string | undefined;
}

/**
 * Adds a rule, or replaces the one of the same kind and ID. A new rule without a place becomes the most important one
 * of its kind; a replaced one without a place stays where it is, and stays disabled if it was.
 * Specification: `PUT /pushrules/global/{kind}/{ruleId}`.
 *
 * @param body what the client sent, unchecked
 * @returns the rules with the change; `stored` is left as it was
 * @throws PushRuleError when the rule makes no sense, has no such neighbour, or is one too many
 */
export function addRule(
  stored: StoredPushRules,
  kind: RuleKind,
  ruleId: string,
  body: PushRuleBody,
  place: RulePlace = {},
): StoredPushRules {
  if (!isOwnRuleKind(kind)) {
    throw new PushRuleError("invalid-parameter", `Rules of the kind ${kind} are the server's alone.`);
  }
  const parsed = parseOwnRule(kind, ruleId, body);
  const rules = stored.own[kind];
  const existing = rules.find((rule) => rule.rule_id === ruleId);
  const rule = existing === undefined ? parsed : { ...parsed, enabled: existing.enabled };
  const changed = withOwn(stored, kind, insert(rules, rule, place));
  checkLimits(changed, stored, kind);
  return changed;
}

/**
 * Deletes one of the user's own rules. Specification: `DELETE /pushrules/global/{kind}/{ruleId}`.
 *
 * @throws PushRuleError `unknown-rule`, also for server-default rules, which can only be disabled
 */
export function deleteRule(stored: StoredPushRules, kind: RuleKind, ruleId: string): StoredPushRules {
  const rules = ownRules(stored, kind);
  const left = rules.filter((rule) => rule.rule_id !== ruleId);
  if (isOwnRuleKind(kind) && left.length < rules.length) return withOwn(stored, kind, left);
  if (!ruleId.startsWith(".")) throw unknownRule(kind);
  throw new PushRuleError("unknown-rule", "Server-default rules can be disabled, not deleted.");
}

/**
 * Enables or disables a rule, the user's own or a server-default one.
 * Specification: `PUT /pushrules/global/{kind}/{ruleId}/enabled`.
 *
 * @throws PushRuleError `unknown-rule`
 */
export function setEnabled(
  stored: StoredPushRules,
  defaults: readonly DefaultPushRule[],
  kind: RuleKind,
  ruleId: string,
  enabled: boolean,
): StoredPushRules {
  return changeRule(stored, defaults, kind, ruleId, { enabled });
}

/**
 * Replaces the actions of a rule, the user's own or a server-default one.
 * Specification: `PUT /pushrules/global/{kind}/{ruleId}/actions`.
 *
 * @param actions what the client sent, unchecked
 * @throws PushRuleError `unknown-rule`, or what is wrong with the actions
 */
export function setActions(
  stored: StoredPushRules,
  defaults: readonly DefaultPushRule[],
  kind: RuleKind,
  ruleId: string,
  actions: unknown,
): StoredPushRules {
  return changeRule(stored, defaults, kind, ruleId, { actions: parseActions(actions) });
}

function changeRule(
  stored: StoredPushRules,
  defaults: readonly DefaultPushRule[],
  kind: RuleKind,
  ruleId: string,
  changes: DefaultRuleChange,
): StoredPushRules {
  const rules = ownRules(stored, kind);
  if (isOwnRuleKind(kind) && rules.some((rule) => rule.rule_id === ruleId)) {
    const changed = rules.map((rule) => (rule.rule_id === ruleId ? { ...rule, ...changes } : rule));
    return withOwn(stored, kind, changed);
  }
  const rule = defaults.find((known) => known.kind === kind && known.ruleId === ruleId);
  if (rule === undefined) throw unknownRule(kind);
  return withDefaultChange(stored, rule, { ...stored.defaultChanges[ruleId], ...changes });
}

/** Records a change to a server-default rule, or forgets it when it changes nothing any more. */
function withDefaultChange(
  stored: StoredPushRules,
  rule: DefaultPushRule,
  { enabled, actions }: DefaultRuleChange,
): StoredPushRules {
  const { [rule.ruleId]: _previous, ...others } = stored.defaultChanges;
  const isEnabledChanged = enabled !== undefined && enabled !== rule.enabled;
  const areActionsChanged = actions !== undefined && !isSameJson(actions, rule.actions);
  if (!isEnabledChanged && !areActionsChanged) return { ...stored, defaultChanges: others };
  const change = { ...(isEnabledChanged && { enabled }), ...(areActionsChanged && { actions }) };
  return { ...stored, defaultChanges: { ...others, [rule.ruleId]: change } };
}

function isSameJson(one: readonly PushAction[], other: readonly PushAction[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function withOwn(stored: StoredPushRules, kind: OwnRuleKind, rules: readonly OwnPushRule[]): StoredPushRules {
  return { ...stored, own: { ...stored.own, [kind]: rules } };
}

function insert(
  rules: readonly OwnPushRule[],
  rule: OwnPushRule,
  { before, after }: RulePlace,
): readonly OwnPushRule[] {
  const neighbour = before ?? after;
  const current = rules.findIndex(({ rule_id }) => rule_id === rule.rule_id);
  // A rule placed beside itself stays where it is, as one does without a place.
  if (current >= 0 && (neighbour === undefined || neighbour === rule.rule_id))
    return rules.with(current, rule);
  const others = rules.filter((_, index) => index !== current);
  if (neighbour === undefined) return [rule, ...others];
  const index = others.findIndex(({ rule_id }) => rule_id === neighbour);
  if (index < 0) {
    throw new PushRuleError(
      "unknown-neighbour",
      "`before` and `after` name one of your own rules of the same kind, and you have no such rule.",
    );
  }
  return others.toSpliced(before === undefined ? index + 1 : index, 0, rule);
}

/** Refuses what goes beyond the limits, but lets rules be changed that were beyond them before (an imported account). */
function checkLimits(changed: StoredPushRules, stored: StoredPushRules, kind: OwnRuleKind): void {
  const { rulesPerKind, scanningPatterns } = pushRuleLimits;
  if (changed.own[kind].length > Math.max(rulesPerKind, stored.own[kind].length)) {
    throw new PushRuleError("too-large", `You may have at most ${rulesPerKind} rules of a kind.`);
  }
  if (scanningPatternsOf(changed) > Math.max(scanningPatterns, scanningPatternsOf(stored))) {
    throw new PushRuleError(
      "too-large",
      `You may have at most ${scanningPatterns} patterns with wildcards or with more than one word.`,
    );
  }
}

function scanningPatternsOf({ own }: StoredPushRules): number {
  const counts = ownRuleKinds.flatMap((kind) => own[kind].map(countScanningPatterns));
  return counts.reduce((sum, count) => sum + count, 0);
}
