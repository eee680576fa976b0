/** Words longer than this are cut: nobody types them whole. */
const maxWordChars = 64;

/** Letters that Unicode does not take apart, and that people type without what makes them special. */
const plainLetters: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ħ: "h",
  ı: "i",
};
const special = /[ßæœøłđðþħı]/g;

/** Marks are additions in these scripts; in others, such as Devanagari or kana, they are part of what is read. */
const diacritics =
  /(?<=[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Arabic}\p{Script=Hebrew}])\p{M}+/gu;
const notAscii = /[^\0-\x7f]/;

/** Scripts that are written without spaces between words. Emoji stand for themselves. */
const unspaced =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Thai}\\p{Script=Lao}" +
  "\\p{Script=Khmer}\\p{Script=Myanmar}\\p{Extended_Pictographic}ー";
/** A run of either kind of writing; the first group is without spaces. */
const runs = new RegExp(`([${unspaced}]+)|(?:(?![${unspaced}])[\\p{L}\\p{N}\\p{M}])+`, "gu");

/** Part of a text that a reader takes as one: a word, or several that are written without spaces. */
interface Run {
  readonly text: string;
  readonly isUnspaced: boolean;
}

/** A phrase to look for: words that follow each other. */
export interface WordPhrase {
  readonly words: readonly string[];
  /** Whether the last one may be the beginning of a word. */
  readonly isPrefix: boolean;
  /** As it was typed, in lower case. */
  readonly typed: string;
}

/** A text without the differences that people do not mean: case, diacritics, width of characters. */
export function foldMessage(text: string): string {
  const lower = text.toLowerCase();
  if (!notAscii.test(lower)) return lower;
  return lower
    .normalize("NFKD")
    .replaceAll(diacritics, "")
    .normalize("NFC")
    .replaceAll(special, (letter) => plainLetters[letter] ?? letter);
}

/**
 * The words by which a message is found, in order, at most `limit`. Where no spaces are written each character makes a
 * word with the next one, and the last of a run one by itself: every stretch of two characters or more is a phrase of
 * these, and a single character is the beginning of one.
 */
export function messageWords(text: string, limit: number): string[] {
  const words: string[] = [];
  for (const run of runsOf(foldMessage(text))) {
    if (run.isUnspaced) words.push(...pairsOf(run.text), lastCharacter(run.text));
    else words.push(run.text.slice(0, maxWordChars));
    if (words.length >= limit) return words.slice(0, limit);
  }
  return words;
}

/**
 * What to look for when somebody types a text.
 * @param isExact whether the last word has to be as it is, and not only the beginning of one
 * @returns `undefined` for a text without words
 */
export function phraseOf(text: string, isExact: boolean): WordPhrase | undefined {
  const all = [...runsOf(foldMessage(text))];
  const last = all.at(-1);
  if (!last) return undefined;
  const typed = text.toLowerCase();
  const before = all
    .slice(0, -1)
    .flatMap((run) =>
      run.isUnspaced ? [...pairsOf(run.text), lastCharacter(run.text)] : [run.text.slice(0, maxWordChars)],
    );
  if (!last.isUnspaced) {
    // A single letter begins far too many words.
    const isPrefix = !isExact && Array.from(last.text).length > 1;
    return { words: [...before, last.text.slice(0, maxWordChars)], isPrefix, typed };
  }
  const pairs = pairsOf(last.text);
  // The run may go on in the message, so nothing is said about its end.
  return pairs.length === 0
    ? { words: [...before, last.text], isPrefix: true, typed }
    : { words: [...before, ...pairs], isPrefix: false, typed };
}

function* runsOf(folded: string): Generator<Run> {
  for (const [text, run] of folded.matchAll(runs)) yield { text, isUnspaced: run !== undefined };
}

function pairsOf(run: string): string[] {
  const characters = Array.from(run);
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}

function lastCharacter(run: string): string {
  return Array.from(run).at(-1) ?? "";
}
