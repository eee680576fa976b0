import { outcomeOf } from "./actions.ts";
import { compileCondition, compileOwnIdCondition, foldedRoomIdOf } from "./conditions.ts";
import type { CompiledCondition } from "./conditions.ts";
import { masterRuleId } from "./default-rules.ts";
import type { DefaultPushRule } from "./default-rules.ts";
import { PropertyKey } from "./event.ts";
import { CompiledRuleset, listBlock, lookupBlock, sharedBlock, sharedBlocks } from "./ruleset.ts";
import type { CompiledRule, RuleBlock } from "./ruleset.ts";
import { isOwnRuleKind, ownRuleKinds, ruleKinds, untouchedPushRules } from "./rules.ts";
import type { OwnPushRule, OwnRuleKind, RuleKind, StoredPushRules } from "./rules.ts";

type DefaultChanges = StoredPushRules["defaultChanges"];

/** Makes users' push rules ready for evaluation, on top of one set of server-default rules. */
export class PushRuleCompiler {
  /** The rules of every user who never changed one. */
  readonly untouched: CompiledRuleset;
  readonly #master: readonly DefaultPushRule[];
  /** The other server-default rules. */
  readonly #defaults: readonly DefaultPushRule[];
  /** The conditions of each server-default rule: users can change its actions, but not these. */
  readonly #conditions: ReadonlyMap<string, readonly CompiledCondition[]>;
  /** The server-default rules of each kind that has some, for users who changed none of them. */
  readonly #shared: ReadonlyMap<RuleKind, RuleBlock>;

  constructor(defaults: readonly DefaultPushRule[]) {
    // The master rule comes before the user's own rules, the other ones after those of their kind.
    this.#master = defaults.filter(({ ruleId }) => ruleId === masterRuleId);
    this.#defaults = defaults.filter(({ ruleId }) => ruleId !== masterRuleId);
    this.#conditions = new Map(defaults.map((rule) => [rule.ruleId, compileDefaultConditions(rule)]));
    const shared = ruleKinds.map(
      (kind) => [kind, this.#compileDefaults(this.#defaultsOf(kind), {})] as const,
    );
    this.#shared = new Map(
      shared.filter(([, rules]) => rules.length > 0).map(([kind, rules]) => [kind, sharedBlock(rules)]),
    );
    this.untouched = new CompiledRuleset([sharedBlocks(this.#blocksOf(untouchedPushRules))]);
  }

  /**
   * Makes a user's rules ready. Do it once for each version of the rules and keep the result.
   *
   * @returns `untouched` itself when the user has changed nothing
   */
  compile(stored: StoredPushRules): CompiledRuleset {
    return isUntouched(stored) ? this.untouched : new CompiledRuleset(this.#blocksOf(stored));
  }

  #blocksOf({ own, defaultChanges }: StoredPushRules): readonly RuleBlock[] {
    const blocks = listBlocks(this.#compileDefaults(this.#master, defaultChanges));
    for (const kind of ruleKinds) {
      if (isOwnRuleKind(kind)) blocks.push(...ownBlocks(kind, own[kind]));
      blocks.push(...this.#defaultBlocks(kind, defaultChanges));
    }
    return blocks;
  }

  #defaultBlocks(kind: RuleKind, changes: DefaultChanges): RuleBlock[] {
    const rules = this.#defaultsOf(kind);
    const shared = this.#shared.get(kind);
    const isChanged = rules.some(({ ruleId }) => changes[ruleId] !== undefined);
    return shared === undefined || isChanged ? listBlocks(this.#compileDefaults(rules, changes)) : [shared];
  }

  #defaultsOf(kind: RuleKind): readonly DefaultPushRule[] {
    return this.#defaults.filter((rule) => rule.kind === kind);
  }

  #compileDefaults(rules: readonly DefaultPushRule[], changes: DefaultChanges): readonly CompiledRule[] {
    return rules
      .map((rule) => ({ ...rule, ...changes[rule.ruleId] }))
      .filter(({ enabled }) => enabled)
      .map(({ kind, ruleId, actions }) => ({
        conditions: this.#conditions.get(ruleId) ?? [],
        outcome: outcomeOf(kind, ruleId, actions),
        foldedRoomId: undefined,
      }));
  }
}

function listBlocks(rules: readonly CompiledRule[]): RuleBlock[] {
  return rules.length === 0 ? [] : [listBlock(rules)];
}

function isUntouched({ own, defaultChanges }: StoredPushRules): boolean {
  return ownRuleKinds.every((kind) => own[kind].length === 0) && Object.keys(defaultChanges).length === 0;
}

function ownBlocks(kind: OwnRuleKind, rules: readonly OwnPushRule[]): RuleBlock[] {
  const enabled = rules.filter((rule) => rule.enabled);
  if (enabled.length === 0) return [];
  if (kind !== "room" && kind !== "sender")
    return [listBlock(enabled.map((rule) => compileOwnRule(kind, rule)))];
  const outcomes = enabled.map(
    (rule) => [rule.rule_id, outcomeOf(kind, rule.rule_id, rule.actions)] as const,
  );
  return [lookupBlock(kind === "room" ? "roomId" : "sender", new Map(outcomes))];
}

function compileOwnRule(kind: OwnRuleKind, rule: OwnPushRule): CompiledRule {
  const body = { kind: "event_match", key: "content.body", pattern: rule.pattern ?? "" };
  const conditions = kind === "content" ? [body] : (rule.conditions ?? []);
  return {
    conditions: conditions.map(compileCondition),
    outcome: outcomeOf(kind, rule.rule_id, rule.actions),
    foldedRoomId: conditions.map(foldedRoomIdOf).find((roomId) => roomId !== undefined),
  };
}

const mentionsKey = new PropertyKey("content.m\\.mentions");

/** The rules on the text of messages must not second-guess a sender who states the mentions (v1.7 to v1.16). */
const statesNoMentions: CompiledCondition = (event) => event.property(mentionsKey).value === undefined;

function compileDefaultConditions(rule: DefaultPushRule): readonly CompiledCondition[] {
  const conditions = rule.conditions.map(compileCondition);
  if (rule.ownIdCondition !== undefined) conditions.push(compileOwnIdCondition(rule.ownIdCondition));
  return rule.option === "legacyMentions" ? [statesNoMentions, ...conditions] : conditions;
}
