import type { RoomVersion } from "../room-versions.ts";
import { type AuthRule, ruleNumber } from "./rule-outline.ts";

/** Why the authorisation rules refuse an event. A value, not an error: refusing is an everyday outcome. */
export interface AuthRejection {
  /** The rule that refused, under its name in every room version. */
  readonly rule: AuthRule;
  /** The rule's number in the text of the event's room version, such as `5.3.2`. */
  readonly number: string;
  /** A sentence that can be shown to the sender with `M_FORBIDDEN`. */
  readonly message: string;
}

/** Makes the rejection by a rule, with its number in that room version. */
export function reject(version: RoomVersion, rule: AuthRule, message: string): AuthRejection {
  return { rule, number: ruleNumber(version, rule) ?? "", message };
}
