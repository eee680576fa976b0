import type { SearchTerms } from "../../search-terms.ts";
import type { WordPhrase } from "../../message-words.ts";
import type { IndexQuery, SearchedKey } from "../../search-index.ts";

/**
 * How messages are kept in the index. Every word has its room before it ("5.meeting" in room 5): all that a search reads
 * belongs to rooms that it may look into, however common a word is elsewhere, and the beginning of a word leads to no
 * other room's words. What is known of a message beside its words is among them with another sign ("5/s17").
 *
 * Document IDs (rowids) are made of the room and, counting down, of the position: a search meets the newest message of a
 * room first and may stop when it has enough, and a room's documents are next to each other.
 */

/** Half of the positions that a document ID has place for: they may be negative. */
const middle = 2 ** 39;
/** ?1 is the room, ?2 the position. */
export const documentIdSql = `((?1 << 40) | (${middle} - ?2))`;
/** The documents of room ?1 with positions from ?2 down to ?3. */
export const inRoomSql = `rowid BETWEEN ${documentIdSql} AND ((?1 << 40) | (${middle} - ?3))`;
/** The position of a rowid. */
export const positionSql = `(${middle} - (rowid & ${2 ** 40 - 1}))`;
/** Positions beyond these cannot be told from those of other rooms. */
export const firstPosition = -middle + 1;
export const lastPosition = middle - 1;

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
