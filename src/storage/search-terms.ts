import { messageWords, phraseOf, type WordPhrase } from "./message-words.ts";

/** What somebody looks for: messages with all of the wanted phrases and none of the unwanted ones. */
export interface SearchTerms {
  readonly wanted: readonly WordPhrase[];
  readonly unwanted: readonly WordPhrase[];
}

/** Further words of a search are not looked at: each has to be looked for in every room. */
const maxWords = 32;
/** Words of one message that are indexed. */
export const maxWordsOfMessage = 4_000;

/** Words of average messages, for judging how much of a message a match is. */
const averageWords = 12;
/** The beginning of a word counts less than all of it. */
const prefixWeight = 0.5;

/**
 * Reads what somebody has typed: words, phrases "in double quotes", and -words that must not occur. Words are found by
 * their beginnings too, phrases in quotes are not.
 */
export function parseSearchTerms(text: string): SearchTerms {
  const wanted: WordPhrase[] = [];
  const unwanted: WordPhrase[] = [];
  let words = 0;
  for (const [, minus, quoted, plain] of text.matchAll(/(?<!\S)(-?)"([^"]+)"?|(\S+)/gu)) {
    const isUnwanted = minus === "-" || (plain !== undefined && /^-[\p{L}\p{N}]/u.test(plain));
    const phrase = phraseOf(quoted ?? plain ?? "", quoted !== undefined || isUnwanted);
    if (!phrase) continue;
    words += phrase.words.length;
    // A phrase that has begun is looked for as far as it goes.
    const cut = words > maxWords;
    const looked = cut ? { ...phrase, words: phrase.words.slice(0, maxWords), isPrefix: false } : phrase;
    (isUnwanted ? unwanted : wanted).push(looked);
    if (cut) break;
  }
  return { wanted, unwanted };
}

/** Whether a text is what somebody looks for. */
export function matchesTerms(text: string, { wanted, unwanted }: SearchTerms): boolean {
  const words = messageWords(text, maxWordsOfMessage);
  return (
    wanted.every((phrase) => weightOf(words, phrase) > 0) &&
    !unwanted.some((phrase) => weightOf(words, phrase) > 0)
  );
}

/**
 * How well a text matches, higher for better: how often each phrase occurs, with less to be had from each further time,
 * and the more the less else there is (as BM25 has it). How rare the words are makes no difference between texts that
 * have all of them.
 */
export function scoreOf(text: string, { wanted }: SearchTerms): number {
  const words = messageWords(text, maxWordsOfMessage);
  const length = 0.25 + (0.75 * words.length) / averageWords;
  let score = 0;
  for (const phrase of wanted) {
    const weight = weightOf(words, phrase);
    score += (weight * 2.2) / (weight + 1.2 * length);
  }
  return Math.round(score * 1e6) / 1e6;
}

/** How often a phrase occurs among words; beginnings of words count less. */
function weightOf(words: readonly string[], { words: wanted, isPrefix }: WordPhrase): number {
  const before = wanted.slice(0, -1);
  const last = wanted.at(-1) ?? "";
  let weight = 0;
  for (let end = before.length; end < words.length; end++) {
    const word = words[end] ?? "";
    const isSame = word === last;
    if (!isSame && !(isPrefix && word.startsWith(last))) continue;
    if (before.every((part, index) => words[end - before.length + index] === part)) {
      weight += isSame ? 1 : prefixWeight;
    }
  }
  return weight;
}

const maxHighlights = 100;

/**
 * What to mark in some texts, in lower case and otherwise as it is written there: what somebody has typed, or the words
 * that were found in its place.
 */
export function highlightsIn(texts: readonly string[], { wanted }: SearchTerms): string[] {
  const highlights = new Set<string>();
  for (const text of texts) {
    const lower = text.toLowerCase();
    for (const phrase of wanted) {
      if (lower.includes(phrase.typed)) highlights.add(phrase.typed);
      else for (const word of wordsLike(lower, phrase)) highlights.add(word);
      if (highlights.size >= maxHighlights) return [...highlights];
    }
  }
  return [...highlights];
}

function wordsLike(text: string, { words: wanted, isPrefix }: WordPhrase): string[] {
  const last = wanted.at(-1) ?? "";
  const written = text.match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
  return written.filter((word) => {
    const [folded, ...further] = messageWords(word, 2);
    if (folded === undefined || further.length > 0) return false;
    return wanted.includes(folded) || (isPrefix && folded.startsWith(last));
  });
}
