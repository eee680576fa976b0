/**
 * Glob patterns: `*` matches any number of characters, `?` exactly one, and letter case does not count.
 * Specification: appendices, "Glob-style matching".
 *
 * A pattern runs as an automaton whose states are the bits of an integer vector. Matching takes time proportional
 * to text × pattern / 32 whatever the pattern says, because there is nothing to go back to and try again.
 */

/** Letter case removed, as both sides of every case-insensitive comparison must have it. */
export function foldCase(text: string): string {
  return text.toLowerCase();
}

/** A compiled pattern. It remembers nothing between matches and can be shared. */
export class Glob {
  /** The case-folded text that the pattern stands for, or `undefined` when it has a wildcard. */
  readonly literal: string | undefined;
  readonly #folded: string;
  /** No shorter text matches, in UTF-16 units, so that an absurdly long pattern costs nothing on names and IDs. */
  readonly #shortestMatch: number;
  #automaton: Automaton | undefined;

  /**
   * Compiles a pattern.
   *
   * @param pattern the pattern, in any letter case
   * @param wildcards `"plain"` takes `*` and `?` as the characters that they are
   */
  constructor(pattern: string, wildcards: "glob" | "plain" = "glob") {
    this.#folded = foldCase(pattern);
    this.literal = wildcards === "plain" || !/[*?]/.test(pattern) ? this.#folded : undefined;
    this.#shortestMatch = this.literal?.length ?? codePoints(this.#folded.replaceAll("*", "")).length;
  }

  /** Whether the whole of a case-folded text matches. */
  matchesWhole(folded: string): boolean {
    if (this.literal !== undefined) return folded === this.literal;
    return folded.length >= this.#shortestMatch && this.#run().matchesWhole(folded);
  }

  /**
   * Whether some part of a case-folded text matches that starts and ends at a word boundary: at an end of the text,
   * or beside a character other than the letters, digits and `_` of ASCII.
   * Specification: client-server API, "Push Rules", `event_match` on `content.body`.
   */
  matchesWords(folded: string): boolean {
    return folded.length >= this.#shortestMatch && this.#run().matchesWords(folded);
  }

  /** Most patterns are literals that are only ever compared, so that the automaton waits until it is needed. */
  #run(): Automaton {
    this.#automaton ??= new Automaton(
      this.literal === undefined ? globTokens(this.#folded) : codePoints(this.#folded),
    );
    return this.#automaton;
  }
}

class Automaton {
  /** State n says "n characters of the pattern are consumed"; this one accepts. */
  readonly #lastState: number;
  readonly #wordsPerSet: number;
  /** The states where a `*` may consume any character and stay. */
  readonly #loops: Int32Array;
  /** For each symbol, the states that it moves on by one. Symbol 0 is every character that the pattern lacks. */
  readonly #moves: Int32Array;
  readonly #asciiSymbols = new Uint16Array(128);
  readonly #otherSymbols = new Map<number, number>();

  constructor(tokens: readonly Token[]) {
    const consuming = tokens.filter((token) => token !== "star");
    const characters = new Set(consuming.filter((token) => token !== "any"));
    this.#lastState = consuming.length;
    this.#wordsPerSet = (this.#lastState >>> 5) + 1;
    this.#loops = new Int32Array(this.#wordsPerSet);
    this.#moves = new Int32Array(this.#wordsPerSet * (characters.size + 1));
    for (const [index, codePoint] of [...characters].entries()) this.#nameSymbol(codePoint, index + 1);
    this.#layOut(tokens, characters.size);
  }

  matchesWhole(folded: string): boolean {
    const states = new Int32Array(this.#wordsPerSet);
    addState(states, 0, 0);
    for (let index = 0; index < folded.length; ) {
      const codePoint = folded.codePointAt(index) ?? 0;
      if (!this.#step(states, codePoint)) return false;
      index += unitsOf(codePoint);
    }
    return this.#accepts(states);
  }

  matchesWords(folded: string): boolean {
    const states = new Int32Array(this.#wordsPerSet);
    let afterWord = false;
    for (let index = 0; ; ) {
      const codePoint = folded.codePointAt(index);
      const beforeWord = codePoint !== undefined && isWordCharacter(codePoint);
      if (!(afterWord && beforeWord)) {
        addState(states, 0, 0);
        if (this.#accepts(states)) return true;
      }
      if (codePoint === undefined) return false;
      this.#step(states, codePoint);
      afterWord = beforeWord;
      index += unitsOf(codePoint);
    }
  }

  /** Moves every state over one character; false when no state is left. */
  #step(states: Int32Array, codePoint: number): boolean {
    const symbol = this.#symbolOf(codePoint);
    const moves = this.#moves;
    const loops = this.#loops;
    const offset = symbol * states.length;
    let carry = 0;
    let left = 0;
    for (let word = 0; word < states.length; word++) {
      const before = states[word] ?? 0;
      const moving = before & (moves[offset + word] ?? 0);
      const after = (moving << 1) | carry | (before & (loops[word] ?? 0));
      carry = moving >>> 31;
      left |= after;
      states[word] = after;
    }
    return left !== 0;
  }

  #accepts(states: Int32Array): boolean {
    return ((states[this.#lastState >>> 5] ?? 0) & (1 << (this.#lastState & 31))) !== 0;
  }

  #nameSymbol(codePoint: number, symbol: number): void {
    if (codePoint < 128) this.#asciiSymbols[codePoint] = symbol;
    else this.#otherSymbols.set(codePoint, symbol);
  }

  #symbolOf(codePoint: number): number {
    return (codePoint < 128 ? this.#asciiSymbols[codePoint] : this.#otherSymbols.get(codePoint)) ?? 0;
  }

  #layOut(tokens: readonly Token[], lastSymbol: number): void {
    let state = 0;
    for (const token of tokens) {
      if (token === "star") {
        addState(this.#loops, 0, state);
        continue;
      }
      const first = token === "any" ? 0 : this.#symbolOf(token);
      const last = token === "any" ? lastSymbol : first;
      for (let symbol = first; symbol <= last; symbol++) {
        addState(this.#moves, symbol * this.#wordsPerSet, state);
      }
      state++;
    }
  }
}

/** One character of a pattern: a code point, `?` ("any") or `*` ("star"). */
type Token = number | "any" | "star";

function codePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

function globTokens(pattern: string): Token[] {
  return codePoints(pattern).map((codePoint) => {
    if (codePoint === 0x2a) return "star";
    return codePoint === 0x3f ? "any" : codePoint;
  });
}

function unitsOf(codePoint: number): number {
  return codePoint > 0xffff ? 2 : 1;
}

function isWordCharacter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x5f;
}

function addState(sets: Int32Array, offset: number, state: number): void {
  const word = offset + (state >>> 5);
  sets[word] = (sets[word] ?? 0) | (1 << (state & 31));
}
