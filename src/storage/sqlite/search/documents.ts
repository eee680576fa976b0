import type { SearchTerms } from "../../search-terms.ts";
import type { WordPhrase } from "../../message-words.ts";
import type { IndexQuery, SearchedKey } from "../../search-index.ts";

/**
 * How messages are kept in the index. Every word has its room before it ("5.meeting" in room 5): all that a search reads
 * belongs to rooms that it may look into, however common a word is elsewhere, and the beginning of a word leads to no
 * other room's words. What is known of a message beside its words is among them with another sign ("5/s17").
 *
 * Document IDs (rowids) count down with the positions of events: a search meets the newest message first, and may stop when
 * it has enough.
 */

/** Above every position there is, and far enough below 2^53 for sums of both to be exact. */
const ceiling = 2 ** 52;
export const firstPosition = -ceiling + 1;
export const lastPosition = ceiling - 1;

/** The document of the position that a parameter gives. FTS5 takes integers only. */
export function documentIdSql(parameter: string): string {
  return `CAST(${ceiling} - ${parameter} AS INTEGER)`;
}
/** The position of a rowid. */
export const positionSql = `(${ceiling} - rowid)`;

/** What a document tells beside its words. */
export interface DocumentTags {
  readonly key: SearchedKey;
  readonly senderNid: number;
  readonly hasUrl: boolean;
}

/** The text of a document, as the index is given it. */
export function documentText(roomNid: number, words: readonly string[], tags: DocumentTags): string {
  const scope = roomNid.toString(36);
  const texts = words.map((word) => `${scope}.${word}`);
  texts.push(`${scope}/s${tags.senderNid}`);
  // Nearly all are bodies: that goes without saying.
  if (tags.key !== "body") texts.push(`${scope}/${tags.key}`);
  if (tags.hasUrl) texts.push(`${scope}/url`);
  return texts.join(" ");
}

/** Matches every document of a room: each has a sender. */
export function everyDocument(roomNid: number): string {
  return `"${roomNid.toString(36)}/s"*`;
}

type Matching = Pick<IndexQuery, "terms" | "keys" | "senderNids" | "notSenderNids" | "withUrl">;

/** Makes the FTS5 expressions of a search, one for each room. */
export function matchExpression({ terms, keys, senderNids, notSenderNids, withUrl }: Matching) {
  const others = (["name", "topic"] as const).filter((key) => keys.includes(key) !== keys.includes("body"));
  const otherKeys = (scope: string) => anyOf(others.map((key) => `"${scope}/${key}"`));
  return (roomNid: number): string => {
    const scope = roomNid.toString(36);
    const senders = (nids: readonly number[]) => nids.map((nid) => `"${scope}/s${nid}"`);
    const wanted = phrases(terms.wanted, scope);
    if (senderNids) wanted.push(anyOf(senders(senderNids)));
    if (withUrl) wanted.push(`"${scope}/url"`);
    if (!keys.includes("body")) wanted.push(otherKeys(scope));
    const unwanted = [...phrases(terms.unwanted, scope), ...senders(notSenderNids)];
    if (keys.includes("body") && others.length > 0) unwanted.push(otherKeys(scope));
    const all = wanted.join(" AND ");
    return unwanted.length === 0 ? all : `(${all}) NOT ${anyOf(unwanted)}`;
  };
}

function phrases(of: SearchTerms["wanted"], scope: string): string[] {
  return of.map(({ words, isPrefix }: WordPhrase) => {
    const text = words.map((word) => `${scope}.${word}`).join(" ");
    return `"${text}"${isPrefix ? "*" : ""}`;
  });
}

function anyOf(expressions: readonly string[]): string {
  return `(${expressions.join(" OR ")})`;
}
