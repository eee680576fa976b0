import {
  anyCharacter,
  type CharacterSet,
  type CodePointRange,
  complement,
  escapedClasses,
  posixClasses,
} from "./character-set.ts";

/** A regular expression, taken apart. */
export type PatternNode =
  | { readonly kind: "character"; readonly set: CharacterSet }
  | { readonly kind: "sequence"; readonly parts: readonly PatternNode[] }
  | { readonly kind: "choice"; readonly branches: readonly PatternNode[] }
  | { readonly kind: "repeat"; readonly part: PatternNode; readonly min: number; readonly max: number }
  | { readonly kind: "start" | "end" }
  | { readonly kind: "lookahead"; readonly part: PatternNode; readonly isNegated: boolean };

/** Text that is not a regular expression of the kind that is understood here. Its message says why, and where. */
export class PatternError extends Error {
  override readonly name = "PatternError";
}

const maxDepth = 50;
const maxRepetitions = 1_000;
const letterEscapes: Readonly<Record<string, string>> = {
  t: "\t",
  n: "\n",
  r: "\r",
  f: "\f",
  v: "\v",
};

/**
 * Takes a regular expression apart: POSIX extended ones, with what bridges use of Perl's beyond that (escaped classes, groups
 * that are not captured, lookahead). What could make matching slow, such as references back, is refused.
 * @throws PatternError
 */
export function parsePattern(source: string): PatternNode {
  const parser = new PatternParser(source);
  return parser.parse();
}

class PatternParser {
  readonly #characters: readonly string[];
  #at = 0;
  #depth = 0;
  #isInLookahead = false;

  constructor(source: string) {
    this.#characters = Array.from(source);
  }

  parse(): PatternNode {
    const node = this.#choice();
    if (this.#at < this.#characters.length) throw this.#error("a closing parenthesis that nothing opened");
    return node;
  }

  #choice(): PatternNode {
    if (++this.#depth > maxDepth) throw this.#error(`more than ${maxDepth} groups within each other`);
    const branches = [this.#sequence()];
    while (this.#take("|")) branches.push(this.#sequence());
    this.#depth -= 1;
    const [only] = branches;
    return branches.length === 1 && only ? only : { kind: "choice", branches };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    for (let next = this.#peek(); next !== undefined && next !== "|" && next !== ")"; next = this.#peek()) {
      parts.push(this.#repeated(this.#atom()));
    }
    return { kind: "sequence", parts };
  }

  #repeated(part: PatternNode): PatternNode {
    const bounds = this.#quantifier();
    if (!bounds) return part;
    if (part.kind === "start" || part.kind === "end" || part.kind === "lookahead") {
      throw this.#error("what has no width cannot be repeated");
    }
    // Lazy or not makes no difference to whether a text matches.
    this.#take("?");
    const next = this.#peek();
    if (next === "*" || next === "+") throw this.#error("a repetition of a repetition");
    return { kind: "repeat", part, ...bounds };
  }

  #quantifier(): { min: number; max: number } | undefined {
    if (this.#take("*")) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.#take("+")) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.#take("?")) return { min: 0, max: 1 };
    const rest = this.#characters.slice(this.#at, this.#at + 12).join("");
    const [whole, least, comma, most] = /^\{(\d{1,4})(,?)(\d{0,4})\}/.exec(rest) ?? [];
    if (whole === undefined) return undefined;
    this.#at += whole.length;
    const min = Number(least);
    const max = most ? Number(most) : comma ? Number.POSITIVE_INFINITY : min;
    if (min > maxRepetitions || (max !== Number.POSITIVE_INFINITY && max > maxRepetitions)) {
      throw this.#error(`more than ${maxRepetitions} repetitions`);
    }
    if (max < min) throw this.#error("a repetition whose bounds are the wrong way round");
    return { min, max };
  }

  #atom(): PatternNode {
    const character = this.#next();
    switch (character) {
      case "^":
        return { kind: "start" };
      case "$":
        return { kind: "end" };
      case ".":
        return { kind: "character", set: anyCharacter };
      case "(":
        return this.#group();
      case "[":
        return { kind: "character", set: this.#bracket() };
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
        throw this.#error(`${character} has nothing to repeat`);
      default:
        return single(character);
    }
  }

  #group(): PatternNode {
    if (!this.#take("?")) return this.#closed(this.#choice());
    if (this.#take(":")) return this.#closed(this.#choice());
    if (this.#take("=")) return this.#lookahead(false);
    if (this.#take("!")) return this.#lookahead(true);
    const rest = this.#characters.slice(this.#at, this.#at + 64).join("");
    const [name] = /^P?<[A-Za-z_]\w*>/.exec(rest) ?? [];
    if (name === undefined) throw this.#error("a kind of group that is not understood here, such as flags");
    this.#at += name.length;
    return this.#closed(this.#choice());
  }

  #lookahead(isNegated: boolean): PatternNode {
    if (this.#isInLookahead) throw this.#error("a lookahead within a lookahead");
    this.#isInLookahead = true;
    const part = this.#closed(this.#choice());
    this.#isInLookahead = false;
    return { kind: "lookahead", part, isNegated };
  }

  #closed(node: PatternNode): PatternNode {
    if (!this.#take(")")) throw this.#error("a parenthesis that is not closed");
    return node;
  }

  #escape(): PatternNode {
    const character = this.#next();
    if (character === "A") return { kind: "start" };
    if (character === "Z" || character === "z") return { kind: "end" };
    const known = escapedClass(character);
    if (known) return { kind: "character", set: { ranges: known, isNegated: false } };
    return single(this.#literal(character));
  }

  /** The character that stands after a backslash for itself or for another one. */
  #literal(character: string): string {
    if (character === "x") return this.#hexadecimal(2);
    if (character === "u") return this.#hexadecimal(4);
    const control = letterEscapes[character];
    if (control !== undefined) return control;
    if (/[A-Za-z0-9]/.test(character)) throw this.#error(`\\${character}, which is not understood here`);
    return character;
  }

  #hexadecimal(length: number): string {
    const text = this.#characters.slice(this.#at, this.#at + length).join("");
    if (text.length < length || !/^[0-9A-Fa-f]+$/.test(text))
      throw this.#error("a character code that is none");
    this.#at += length;
    return String.fromCodePoint(Number.parseInt(text, 16));
  }

  #bracket(): CharacterSet {
    const isNegated = this.#take("^");
    const ranges: CodePointRange[] = [];
    // "]" stands for itself where it comes first.
    for (let isFirst = true; isFirst || this.#peek() !== "]"; isFirst = false) ranges.push(...this.#member());
    this.#at += 1;
    return { ranges, isNegated };
  }

  #member(): readonly CodePointRange[] {
    const named = this.#posixClass();
    if (named) return named;
    const first = this.#bound();
    if (typeof first !== "string") return first;
    const code = first.codePointAt(0) ?? 0;
    if (this.#peek() !== "-" || this.#characters[this.#at + 1] === "]") return [[code, code]];
    this.#at += 1;
    const last = this.#bound();
    const end = typeof last === "string" ? (last.codePointAt(0) ?? 0) : -1;
    if (end < code) throw this.#error("a range of characters whose bounds are the wrong way round");
    return [[code, end]];
  }

  /** A character within brackets, or the class that a backslash and a letter stand for. */
  #bound(): string | readonly CodePointRange[] {
    const character = this.#next();
    if (character !== "\\") return character;
    const escaped = this.#next();
    return escapedClass(escaped) ?? this.#literal(escaped);
  }

  #posixClass(): readonly CodePointRange[] | undefined {
    const rest = this.#characters.slice(this.#at, this.#at + 16).join("");
    const [whole, name = ""] = /^\[:([a-z]+):\]/.exec(rest) ?? [];
    if (whole === undefined) return undefined;
    const ranges = Object.hasOwn(posixClasses, name) ? posixClasses[name] : undefined;
    if (!ranges) throw this.#error(`the unknown class [:${name}:]`);
    this.#at += whole.length;
    return ranges;
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #next(): string {
    const character = this.#characters[this.#at];
    if (character === undefined) throw this.#error("an end where something has to follow");
    this.#at += 1;
    return character;
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at += 1;
    return true;
  }

  #error(what: string): PatternError {
    return new PatternError(`it has ${what} (at character ${this.#at})`);
  }
}

function single(character: string): PatternNode {
  const code = character.codePointAt(0) ?? 0;
  return { kind: "character", set: { ranges: [[code, code]], isNegated: false } };
}

function escapedClass(letter: string): readonly CodePointRange[] | undefined {
  const lowered = letter.toLowerCase();
  const ranges = Object.hasOwn(escapedClasses, lowered) ? escapedClasses[lowered] : undefined;
  return ranges && (letter === lowered ? ranges : complement(ranges));
}
