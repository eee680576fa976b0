import type { JsonObject } from "../json.ts";

/** The kinds of push rule in the order in which they are checked. Specification: "Push Rules"; MSC4306. */
export const ruleKinds = ["override", "content", "postcontent", "room", "sender", "underride"] as const;

export type RuleKind = (typeof ruleKinds)[number];

/** The kinds of which users may have rules of their own. */
export const ownRuleKinds = ["override", "content", "room", "sender", "underride"] as const;

export type OwnRuleKind = (typeof ownRuleKinds)[number];

export function isOwnRuleKind(kind: RuleKind): kind is OwnRuleKind {
  return kind !== "postcontent";
}

/** `"notify"`, a tweak `{ set_tweak, value? }`, or one of the historical actions, which do nothing. */
export type PushAction = string | JsonObject;

/** A condition as a client wrote it; kinds that the server does not know are kept and never match. */
export interface PushCondition extends JsonObject {
  kind: string;
}

/** A rule that a user made, in the form in which it is stored. Its keys are those of the specification's `PushRule`. */
export interface OwnPushRule {
  readonly rule_id: string;
  readonly enabled: boolean;
  readonly actions: readonly PushAction[];
  /** Only on `override` and `underride` rules, where it is always present. */
  readonly conditions?: readonly PushCondition[];
  /** Only on `content` rules, where it is always present. */
  readonly pattern?: string;
}

/** A rule as clients get it. Specification: "Push Rules: API". */
export interface PushRule extends OwnPushRule {
  readonly default: boolean;
}

/** All rules of a user as clients get them, in order of importance within each kind. */
export type PushRuleset = Readonly<Record<RuleKind, readonly PushRule[]>>;

/** What a user changed about a server-default rule. */
export interface DefaultRuleChange {
  readonly enabled?: boolean;
  readonly actions?: readonly PushAction[];
}

/**
 * Everything that is stored about a user's push rules: plain JSON. Server-default rules are not in it, only what the
 * user changed about them, so that new versions of the server can change their defaults.
 */
export interface StoredPushRules {
  /** The user's own rules of each kind, the most important first. */
  readonly own: Readonly<Record<OwnRuleKind, readonly OwnPushRule[]>>;
  /** By the ID of the server-default rule, which is unique across the kinds. */
  readonly defaultChanges: Readonly<Record<string, DefaultRuleChange>>;
}

/** A user's own rules of a kind. */
export function ownRules({ own }: StoredPushRules, kind: RuleKind): readonly OwnPushRule[] {
  return isOwnRuleKind(kind) ? own[kind] : [];
}

/** What is stored for a user who never touched a push rule. */
export const untouchedPushRules: StoredPushRules = {
  own: { override: [], content: [], room: [], sender: [], underride: [] },
  defaultChanges: {},
};

/** What a user's push rules come to may cost at most: in storage, in every sync that carries them, and at every event. */
export const pushRuleLimits = {
  rulesPerKind: 1000,
  ruleIdLength: 255,
  patternLength: 255,
  conditionsPerRule: 32,
  actionsPerRule: 16,
  /** Characters of a rule's actions and conditions as JSON. */
  ruleSize: 8192,
  /** How deep values in actions and conditions may be nested. */
  nesting: 8,
  /** Patterns that take a scan of the text, in all rules of a user; others are looked up. */
  scanningPatterns: 100,
} as const;
