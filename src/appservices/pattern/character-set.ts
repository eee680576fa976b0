/** Code points from the first to the last, both included. */
export type CodePointRange = readonly [first: number, last: number];

/** A set of characters, as a class such as `[a-z_]` describes it. */
export interface CharacterSet {
  readonly ranges: readonly CodePointRange[];
  readonly isNegated: boolean;
}

const one = (character: string): CodePointRange => [
  character.codePointAt(0) ?? 0,
  character.codePointAt(0) ?? 0,
];
const upTo = (first: string, last: string): CodePointRange => [
  first.codePointAt(0) ?? 0,
  last.codePointAt(0) ?? 0,
];

const digits = upTo("0", "9");
const lower = upTo("a", "z");
const upper = upTo("A", "Z");
const blanks = [one(" "), one("\t")];
const spaces = [...blanks, upTo("\n", "\r")];
const maxCodePoint = 0x10_ff_ff;

/** Everything but a line feed: what `.` stands for. */
export const anyCharacter: CharacterSet = { ranges: [one("\n")], isNegated: true };

/** The classes that a letter after a backslash stands for; those of upper-case letters are their opposites. */
export const escapedClasses: Readonly<Record<string, readonly CodePointRange[]>> = {
  d: [digits],
  w: [digits, lower, upper, one("_")],
  s: spaces,
};

/** The classes that POSIX has within brackets: `[[:alpha:]]`. */
export const posixClasses: Readonly<Record<string, readonly CodePointRange[]>> = {
  alnum: [digits, lower, upper],
  alpha: [lower, upper],
  ascii: [[0, 0x7f]],
  blank: blanks,
  cntrl: [
    [0, 0x1f],
    [0x7f, 0x7f],
  ],
  digit: [digits],
  graph: [upTo("!", "~")],
  lower: [lower],
  print: [upTo(" ", "~")],
  punct: [upTo("!", "/"), upTo(":", "@"), upTo("[", "`"), upTo("{", "~")],
  space: spaces,
  upper: [upper],
  word: [digits, lower, upper, one("_")],
  xdigit: [digits, upTo("a", "f"), upTo("A", "F")],
};

/** What is not in some ranges. */
export function complement(ranges: readonly CodePointRange[]): CodePointRange[] {
  const outside: CodePointRange[] = [];
  let next = 0;
  for (const [first, last] of ranges.toSorted((a, b) => a[0] - b[0])) {
    if (first > next) outside.push([next, first - 1]);
    next = Math.max(next, last + 1);
  }
  if (next <= maxCodePoint) outside.push([next, maxCodePoint]);
  return outside;
}

export function contains({ ranges, isNegated }: CharacterSet, codePoint: number): boolean {
  return ranges.some(([first, last]) => codePoint >= first && codePoint <= last) !== isNegated;
}
