import { ProtocolError } from "../errors.ts";
import type { RuleKind } from "./rules.ts";

/**
 * A change to push rules that cannot be made. Specification: "Push Rules: API".
 *
 * - `unknown-rule`: there is no rule of this kind and ID (404 `M_NOT_FOUND`)
 * - `unknown-neighbour`: there is no own rule to place the new one before or after (400 `M_UNKNOWN`)
 * - `missing-parameter`: the rule lacks something that its kind needs (400 `M_MISSING_PARAM`)
 * - `invalid-parameter`: the kind, the ID or a part of the rule makes no sense (400 `M_INVALID_PARAM`)
 * - `too-large`: the rules would go beyond `pushRuleLimits` (400 `M_TOO_LARGE`)
 */
export class PushRuleError extends ProtocolError<
  "unknown-rule" | "unknown-neighbour" | "missing-parameter" | "invalid-parameter" | "too-large"
> {}

/** The error for a rule that is not there. */
export function unknownRule(kind: RuleKind): PushRuleError {
  return new PushRuleError("unknown-rule", `You have no ${kind} rule with this ID.`);
}
