import type { SearchTerms } from "./search-terms.ts";

/** A room, and the position up to which it is to be indexed. */
export interface RoomToIndex {
  readonly roomNid: number;
  readonly upTo: number;
}

/** A room that somebody searches. */
export interface SearchedRoom {
  readonly roomNid: number;
  /** The position from which they certainly may see everything: earlier messages are found, and not counted. */
  readonly memberFrom: number;
  /** The last position that they may read. */
  readonly upTo: number;
}

/** What is searched beside the words of messages. */
export type SearchedKey = "body" | "name" | "topic";

/** A search in the index. Who may see what it finds is for the caller to say. */
export interface IndexQuery {
  readonly terms: SearchTerms;
  readonly rooms: readonly SearchedRoom[];
  readonly keys: readonly SearchedKey[];
  /** Messages of these users only; `null` for those of all. */
  readonly senderNids: readonly number[] | null;
  readonly notSenderNids: readonly number[];
  /** Only messages with a `url` in their content. */
  readonly withUrl: boolean;
  /** Positions up to this one, and not before the other. */
  readonly upTo: number;
  readonly downTo: number;
  readonly limit: number;
  /** Whether to work out how well each message matches. */
  readonly scored: boolean;
  /** Up to so many matches are counted; 0 for none. */
  readonly countLimit: number;
}

/** A message that matches. */
export interface SearchHit {
  readonly eventNid: number;
  readonly roomNid: number;
  readonly position: number;
  /** Higher for a better match; 0 without scores. */
  readonly score: number;
}

export interface SearchHits {
  /** Newest first. */
  readonly hits: readonly SearchHit[];
  /** The position down to which everything is among the hits; `undefined` when that is all there is. */
  readonly reached: number | undefined;
  /** How many there are that the searcher certainly may see, as far as they were counted. */
  readonly count: number;
}

/** How far an index has got. */
export interface IndexProgress {
  /** All rooms have been indexed up to this position ... */
  readonly upTo: number;
  /** ... but for these: events have come into them that are older. */
  readonly unfinished: readonly number[];
}

/**
 * The full-text index of messages, room names and topics. It is derived from the events and keeps no text of its own, so
 * that it may lag behind, and be thrown away: it is made anew from the events then.
 */
export interface SearchIndex {
  /**
   * To be called first. An index of another database, one that knows of positions after `position`, is thrown away.
   */
  begin(position: number): Promise<IndexProgress>;
  /** Notes that all rooms have been indexed up to a position. */
  reached(position: number): Promise<void>;
  /**
   * Indexes what is new in some rooms, and takes out of the index what redactions have taken away, `limit` events at most
   * in all.
   * @returns the rooms that have been indexed as far as they were to be
   */
  indexRooms(rooms: readonly RoomToIndex[], limit: number): Promise<number[]>;
  /**
   * Makes searches quicker after much has been indexed, a short step at a time.
   * @returns whether there is nothing more to do
   */
  tidy(): Promise<boolean>;
  /** Finds the newest messages that match. */
  find(query: IndexQuery): Promise<SearchHits>;
}
