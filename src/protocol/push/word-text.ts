import { Glob } from "../glob.ts";

/** A case-folded text in which words are looked for, again and again for different users. */
export class WordText {
  readonly #folded: string;
  #words: ReadonlySet<string> | undefined;

  constructor(folded: string) {
    this.#folded = folded;
  }

  /** Whether the text contains this word between two word boundaries. The word must satisfy `isSingleWord`. */
  hasWord(word: string): boolean {
    this.#words ??= new Set(this.#folded.split(/[^a-z0-9_]+/));
    return this.#words.has(word);
  }

  /** Whether the text contains a match of the pattern between two word boundaries. */
  matches(glob: Glob): boolean {
    // Finding a fixed phrase is quick; only then is it worth to look at the boundaries around it.
    if (glob.literal !== undefined && !this.#folded.includes(glob.literal)) return false;
    return glob.matchesWords(this.#folded);
  }

  /** Whether the text contains a phrase, without wildcards, between two word boundaries. */
  hasPhrase(folded: string): boolean {
    if (isSingleWord(folded)) return this.hasWord(folded);
    return this.#folded.includes(folded) && new Glob(folded, "plain").matchesWords(this.#folded);
  }
}

/** Whether a case-folded text is one word, with no word boundary inside, so that a look-up finds it. */
export function isSingleWord(folded: string): boolean {
  return /^[a-z0-9_]+$/.test(folded);
}
