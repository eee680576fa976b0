import { boundedCache } from "../../cache/bounded-cache.ts";
import { IncludedList, RuleList, type StateRule, type StateRules } from "./state-rules.ts";

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
  readonly #lists: readonly (RuleList | IncludedList)[];
  readonly #unions = new WeakMap<RequiredState, RequiredState>();

  private constructor(text: string, lists: readonly StateRules[]) {
    this.text = text;
    this.#lists = lists.map((rules) => ("include" in rules ? new IncludedList(rules) : new RuleList(rules)));
  }

  /** @param userId whom `$ME` stands for */
  static of(lists: readonly StateRules[], userId: string): RequiredState {
    const texts = lists.map((rules) => rulesText(rules, userId));
    return RequiredState.fromText(`[${[...new Set(texts)].sort().join(",")}]`);
  }

  /** The rules whose `text` this is. */
  static fromText(text: string): RequiredState {
    const known = parsed.get(text);
    if (known) return known;
    const required = new RequiredState(text, JSON.parse(text) as StateRules[]);
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
  return (JSON.parse(text) as StateRules[]).map((rules) => JSON.stringify(rules));
}

/** Equal for equal rules. */
function rulesText(rules: StateRules, userId: string): string {
  if (!("include" in rules)) {
    return sortedText(rules.map(([type, stateKey]) => [type, stateKey === ownKey ? userId : stateKey]));
  }
  const { include, exclude, isLazy } = rules;
  return `{"include":${sortedText(include)},"exclude":${sortedText(exclude)},"isLazy":${isLazy}}`;
}

function sortedText(rules: readonly (readonly (string | null)[])[]): string {
  const texts = rules.map((rule) => JSON.stringify(rule));
  return `[${texts.sort().join(",")}]`;
}
