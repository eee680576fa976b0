import { boundedCache } from "../../cache/bounded-cache.ts";

/** A type and a state key, either of which may be `*`. */
export type StateRule = readonly [type: string, stateKey: string];

const anything = "*";
const memberType = "m.room.member";
const lazyKey = "$LAZY";
const ownKey = "$ME";
/** Clients send the same few lists of rules again and again. */
const cachedTexts = 2_000;
/** What one room may add up to. Beyond it what was sent by older rules is forgotten, and may be sent again. */
const maxTextLength = 16_384;

const parsed = boundedCache<string, RequiredState>(cachedTexts);

/** Which state events a client wants of a room (MSC4186, `required_state`): those that any of several lists of rules lets pass. */
export class RequiredState {
  /** Equal for equal rules. */
  readonly text: string;
  readonly #lists: readonly RuleList[];
  readonly #unions = new WeakMap<RequiredState, RequiredState>();

  private constructor(text: string, lists: readonly (readonly StateRule[])[]) {
    this.text = text;
    this.#lists = lists.map((rules) => new RuleList(rules));
  }

  /** @param userId whom `$ME` stands for */
  static of(lists: readonly (readonly StateRule[])[], userId: string): RequiredState {
    const texts = lists.map((rules) =>
      rules
        .map(([type, stateKey]) => JSON.stringify([type, stateKey === ownKey ? userId : stateKey]))
        .sort()
        .join(","),
    );
    return RequiredState.fromText(
      `[${[...new Set(texts)]
        .sort()
        .map((rules) => `[${rules}]`)
        .join(",")}]`,
    );
  }

  /** The rules whose `text` this is. */
  static fromText(text: string): RequiredState {
    const known = parsed.get(text);
    if (known) return known;
    const required = new RequiredState(text, JSON.parse(text) as StateRule[][]);
    if (text.length <= maxTextLength) parsed.set(text, required);
    return required;
  }

  /** What either lets pass; these alone when that would be too much to remember. */
  with(earlier: RequiredState): RequiredState {
    if (earlier.text === this.text) return this;
    const known = this.#unions.get(earlier);
    if (known) return known;
    const lists = [...new Set([...listTexts(this.text), ...listTexts(earlier.text)])].sort();
    const text = `[${lists.join(",")}]`;
    const union = text.length > maxTextLength ? this : RequiredState.fromText(text);
    this.#unions.set(earlier, union);
    return union;
  }

  /** Whether a state event is wanted. Members that are loaded lazily are besides these. */
  matches(type: string, stateKey: string): boolean {
    return this.#lists.some((list) => list.matches(type, stateKey));
  }

  /** Whether members are loaded lazily: `["m.room.member", "$LAZY"]`. */
  get isLazy(): boolean {
    return this.#lists.some((list) => list.isLazy);
  }

  /** The types and state keys that are wanted, or `undefined` when there are wildcards among them. */
  get pairs(): readonly StateRule[] | undefined {
    if (this.#lists.some((list) => list.hasWildcard)) return undefined;
    return this.#lists.flatMap((list) => list.pairs);
  }
}

/** The lists of rules in the text of several. */
function listTexts(text: string): string[] {
  return (JSON.parse(text) as StateRule[][]).map((rules) => JSON.stringify(rules));
}

class RuleList {
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
