import { isJsonObject } from "../json.ts";
import type { JsonValue } from "../json.ts";
import { isKnownAction } from "./actions.ts";
import { isMemberCountRange, isPlain, needsScan } from "./conditions.ts";
import { PushRuleError } from "./errors.ts";
import { pushRuleLimits, ruleKinds } from "./rules.ts";
import type { OwnPushRule, OwnRuleKind, PushAction, PushCondition, RuleKind } from "./rules.ts";

/** The body of a request that sets a push rule, as it came. */
export interface PushRuleBody {
  readonly actions?: unknown;
  readonly conditions?: unknown;
  readonly pattern?: unknown;
}

/** The kind of rule that a path names. Throws `PushRuleError` for any other text. */
export function parseRuleKind(text: string): RuleKind {
  const kind = ruleKinds.find((known) => known === text);
  if (kind !== undefined) return kind;
  throw new PushRuleError("invalid-parameter", `The kind of a push rule is one of ${ruleKinds.join(", ")}.`);
}

/**
 * Checks the rule that a user wants to set. Specification: `PUT /pushrules/global/{kind}/{ruleId}`.
 *
 * @returns the rule, enabled, with no more than the parameters of its kind
 * @throws PushRuleError saying what to mend
 */
export function parseOwnRule(kind: OwnRuleKind, ruleId: string, body: PushRuleBody): OwnPushRule {
  checkRuleId(ruleId);
  const actions = parseActions(body.actions);
  const rule = { rule_id: ruleId, enabled: true, actions };
  if (kind === "content") return checkSize({ ...rule, pattern: parsePattern(body.pattern) });
  if (kind === "room" || kind === "sender") return checkSize(rule);
  return checkSize({ ...rule, conditions: parseConditions(body.conditions ?? []) });
}

/** Checks a list of actions. Throws `PushRuleError` saying what to mend. */
export function parseActions(value: unknown): readonly PushAction[] {
  if (value === undefined) throw new PushRuleError("missing-parameter", "A push rule needs `actions`.");
  if (!Array.isArray(value)) throw new PushRuleError("invalid-parameter", "`actions` must be an array.");
  if (value.length > pushRuleLimits.actionsPerRule) throw tooMany("actions", pushRuleLimits.actionsPerRule);
  if (value.every(isAction)) return checkSize(checkNesting(value));
  throw new PushRuleError("invalid-parameter", "An action is `notify` or an object with `set_tweak`.");
}

/** How many patterns of a rule take a scan of the text. */
export function countScanningPatterns(rule: OwnPushRule): number {
  const conditions = rule.conditions ?? [];
  const inConditions = conditions.filter(
    ({ kind, key, pattern }) =>
      kind === "event_match" &&
      typeof key === "string" &&
      typeof pattern === "string" &&
      needsScan(key, pattern),
  ).length;
  return inConditions + (rule.pattern !== undefined && needsScan("content.body", rule.pattern) ? 1 : 0);
}

/** "If the string starts with a dot, the request MUST be rejected. Slashes and backslashes are also not allowed." */
function checkRuleId(ruleId: string): void {
  if (ruleId === "") throw new PushRuleError("invalid-parameter", "The ID of a push rule must not be empty.");
  if (ruleId.startsWith(".")) {
    throw new PushRuleError("invalid-parameter", "Rule IDs that start with a dot are the server's own.");
  }
  if (/[/\\]/.test(ruleId)) {
    throw new PushRuleError(
      "invalid-parameter",
      "The ID of a push rule must not contain slashes or backslashes.",
    );
  }
  if (ruleId.length > pushRuleLimits.ruleIdLength)
    throw tooLong("The ID of a push rule", pushRuleLimits.ruleIdLength);
}

function parsePattern(value: unknown): string {
  if (value === undefined) throw new PushRuleError("missing-parameter", "A content rule needs a `pattern`.");
  if (typeof value !== "string") throw new PushRuleError("invalid-parameter", "`pattern` must be a string.");
  if (value.length > pushRuleLimits.patternLength) throw tooLong("A pattern", pushRuleLimits.patternLength);
  return value;
}

function isAction(value: unknown): value is PushAction {
  if (typeof value === "string") return isKnownAction(value);
  return isJsonObject(value) && typeof value["set_tweak"] === "string";
}

/** The parameters that each kind of condition needs. Conditions of other kinds are kept and never match. */
const requiredParameters: ReadonlyMap<string, readonly string[]> = new Map([
  ["event_match", ["key", "pattern"]],
  ["event_property_is", ["key", "value"]],
  ["event_property_contains", ["key", "value"]],
  ["room_member_count", ["is"]],
  ["sender_notification_permission", ["key"]],
]);

function parseConditions(value: unknown): readonly PushCondition[] {
  if (!Array.isArray(value)) throw new PushRuleError("invalid-parameter", "`conditions` must be an array.");
  if (value.length > pushRuleLimits.conditionsPerRule) {
    throw tooMany("conditions", pushRuleLimits.conditionsPerRule);
  }
  if (!value.every(isCondition)) {
    throw new PushRuleError("invalid-parameter", "A condition is an object with a string `kind`.");
  }
  for (const condition of value) checkParameters(condition);
  return checkNesting(value);
}

function isCondition(value: unknown): value is PushCondition {
  return isJsonObject(value) && typeof value["kind"] === "string";
}

function checkParameters(condition: PushCondition): void {
  const { kind, key, pattern, is, value } = condition;
  for (const [name, text] of Object.entries({ key, pattern, is })) {
    if (text === undefined || typeof text === "string") continue;
    throw new PushRuleError("invalid-parameter", `\`${name}\` of a condition must be a string.`);
  }
  if (value !== undefined && !isPlain(value)) {
    throw new PushRuleError("invalid-parameter", "`value` must be a string, an integer, a boolean or null.");
  }
  for (const name of requiredParameters.get(kind) ?? []) {
    if (condition[name] !== undefined) continue;
    throw new PushRuleError("missing-parameter", `A condition of kind \`${kind}\` needs \`${name}\`.`);
  }
  if (kind === "room_member_count" && typeof is === "string" && !isMemberCountRange(is)) {
    throw new PushRuleError(
      "invalid-parameter",
      "`is` must be an integer, after ==, <, >, <= or >= if need be.",
    );
  }
  if (kind === "event_match") parsePattern(pattern);
}

function checkNesting<Value extends JsonValue[]>(value: Value): Value {
  if (isNestedAtMost(value, pushRuleLimits.nesting)) return value;
  throw new PushRuleError("too-large", `Values in a push rule may be nested ${pushRuleLimits.nesting} deep.`);
}

function isNestedAtMost(value: JsonValue, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isNestedAtMost(inner, depth - 1));
}

function checkSize<Value extends OwnPushRule | readonly PushAction[]>(value: Value): Value {
  if (JSON.stringify(value).length <= pushRuleLimits.ruleSize) return value;
  throw tooLong("A push rule", pushRuleLimits.ruleSize);
}

function tooLong(what: string, limit: number): PushRuleError {
  return new PushRuleError("too-large", `${what} may have at most ${limit} characters.`);
}

function tooMany(what: string, limit: number): PushRuleError {
  return new PushRuleError("too-large", `A push rule may have at most ${limit} ${what}.`);
}
