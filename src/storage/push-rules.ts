export interface StoredRuleset {
  /** `StoredPushRules` as JSON text. */
  readonly rules: string;
  /** Position of the last change. */
  readonly position: number;
}

/** What users changed about their push rules. Every change takes a position in the stream `accountData`. */
export interface PushRuleStore {
  /** `undefined` for a user who never changed a rule. */
  find(userNid: number): Promise<StoredRuleset | undefined>;
  /**
   * Replaces a user's rules if their last change is still the expected one.
   * @param expectedPosition `null` when no rule was ever changed
   * @returns false, and nothing is stored, when somebody else was quicker
   */
  replace(userNid: number, expectedPosition: number | null, rules: string): Promise<boolean>;
}
