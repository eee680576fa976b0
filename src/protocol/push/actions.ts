import { isJsonObject } from "../json.ts";
import type { JsonValue } from "../json.ts";
import type { PushAction, RuleKind } from "./rules.ts";

/** What the first matching rule says about an event. Specification: "Actions". */
export interface PushOutcome {
  readonly kind: RuleKind;
  readonly ruleId: string;
  /** Whether the event notifies at all. A rule that matches without it silences the event. */
  readonly notify: boolean;
  /** Whether the event counts as a highlight, such as a mention. Meaningful only with `notify`. */
  readonly highlight: boolean;
  /** The entries of `tweaks` in a push gateway request. */
  readonly tweaks: Readonly<Record<string, JsonValue>>;
  /** The actions of the rule without the historical ones, as `GET /notifications` lists them. */
  readonly actions: readonly PushAction[];
}

/** Older versions of the specification had these actions; they MUST be ignored ("Historical Actions"). */
const historicalActions: readonly PushAction[] = ["dont_notify", "coalesce"];

/** Whether a string is an action that has ever been defined. */
export function isKnownAction(action: string): boolean {
  return action === "notify" || historicalActions.includes(action);
}

/** Reads a rule's actions once, so that a match costs nothing more than handing out the result. */
export function outcomeOf(kind: RuleKind, ruleId: string, actions: readonly PushAction[]): PushOutcome {
  const effective = actions.filter((action) => !historicalActions.includes(action));
  const tweaks = Object.fromEntries(effective.flatMap(tweakOf));
  return Object.freeze({
    kind,
    ruleId,
    notify: effective.includes("notify"),
    highlight: tweaks["highlight"] === true,
    tweaks: Object.freeze(tweaks),
    actions: Object.freeze(effective),
  });
}

function tweakOf(action: PushAction): [name: string, value: JsonValue][] {
  if (!isJsonObject(action) || typeof action["set_tweak"] !== "string") return [];
  // A `highlight` without a value is `true`; other tweaks are flags of the same sort when they have none.
  return [[action["set_tweak"], action["value"] === undefined ? true : action["value"]]];
}
