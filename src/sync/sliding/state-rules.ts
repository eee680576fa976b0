/** A type and a state key, either of which may be `*`. */
export type StateRule = readonly [type: string, stateKey: string];

/** A type and a state key, either of which may be absent and stands for all then. */
export type StatePattern = readonly [type: string | null, stateKey: string | null];

/** `required_state` of the merged MSC4186. */
export interface IncludedState {
  readonly include: readonly StatePattern[];
  readonly exclude: readonly StatePattern[];
  /** Whether members are loaded lazily. */
  readonly isLazy: boolean;
}

/** Which state one rule of a request wants: in the form that clients of today send, or in that of the merged proposal. */
export type StateRules = readonly StateRule[] | IncludedState;

const anything = "*";
const memberType = "m.room.member";
const lazyKey = "$LAZY";

/** The form that clients of today send. */
export class RuleList {
  readonly isLazy: boolean;
  readonly pairs: readonly StateRule[];
  readonly hasWildcard: boolean;
  readonly #isAll: boolean;
  readonly #keysOfType = new Map<string, Set<string>>();
  readonly #keysOfAnyType = new Set<string>();

  constructor(rules: readonly StateRule[]) {
    this.isLazy = rules.some(isLazyRule);
    this.#isAll = rules.some(([type, stateKey]) => type === anything && stateKey === anything);
    this.pairs = rules.filter((rule) => !isLazyRule(rule));
    this.hasWildcard = this.pairs.some((rule) => rule.includes(anything));
    for (const [type, stateKey] of this.pairs) {
      if (type === anything) this.#keysOfAnyType.add(stateKey);
      else this.#keysOf(type).add(stateKey);
    }
    // Beside ["*", "*"] a rule leaves out what it does not name: of members all but those loaded lazily.
    if (this.#isAll && this.isLazy) this.#keysOf(memberType);
  }

  matches(type: string, stateKey: string): boolean {
    const keys = this.#keysOfType.get(type);
    if (keys && (keys.has(stateKey) || keys.has(anything))) return true;
    // "These additional entries are FILTERED OUT of the returned set of state events."
    if (this.#isAll) return keys === undefined;
    return this.#keysOfAnyType.has(stateKey);
  }

  #keysOf(type: string): Set<string> {
    const known = this.#keysOfType.get(type);
    if (known) return known;
    const keys = new Set<string>();
    this.#keysOfType.set(type, keys);
    return keys;
  }
}

function isLazyRule([type, stateKey]: StateRule): boolean {
  return type === memberType && stateKey === lazyKey;
}

/** The form of the merged proposal. */
export class IncludedList {
  readonly isLazy: boolean;
  readonly pairs: readonly StateRule[];
  readonly hasWildcard: boolean;
  readonly #include: readonly StatePattern[];
  readonly #exclude: readonly StatePattern[];

  constructor({ include, exclude, isLazy }: IncludedState) {
    this.isLazy = isLazy;
    this.#include = include;
    this.#exclude = exclude;
    this.pairs = include.filter(isPair).filter(([type, stateKey]) => this.matches(type, stateKey));
    this.hasWildcard = !include.every(isPair);
  }

  matches(type: string, stateKey: string): boolean {
    const isLazyMember = this.isLazy && type === memberType;
    // "To always include a specific set of users, add a specific entry": what stands for all members is lazy.
    const isIncluded = this.#include.some(
      (pattern) => fits(pattern, type, stateKey) && !(isLazyMember && pattern[1] === null),
    );
    return isIncluded && !this.#exclude.some((pattern) => fits(pattern, type, stateKey));
  }
}

function isPair(pattern: StatePattern): pattern is StateRule {
  return pattern[0] !== null && pattern[1] !== null;
}

function fits([wantedType, wantedKey]: StatePattern, type: string, stateKey: string): boolean {
  return (wantedType === null || wantedType === type) && (wantedKey === null || wantedKey === stateKey);
}
