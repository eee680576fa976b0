import type { RemovedPart } from "./room-removals.ts";

/** Events that follow such as have been purged. */
export interface GapFollowers {
  readonly eventNids: readonly number[];
  /** The position to look on after; `null` at the end of the timeline. */
  readonly next: number | null;
}

/** Takes the older part of rooms' timelines out of the database, a short part at a time. */
export interface HistoryPurgeStore {
  /** The position of the oldest event that is younger than a timestamp; `undefined` when there is none. */
  firstAfter(roomNid: number, ts: number): Promise<number | undefined>;
  /**
   * The position of the oldest event to keep when all before a position is to go: at that or, as the ends of the graph
   * always stay, before it. `undefined` for a room without a timeline.
   */
  oldestKept(roomNid: number, position: number): Promise<number | undefined>;
  /** How many events there are before a position. */
  countBefore(roomNid: number, position: number): Promise<number>;
  /** From here on the timeline begins with the event at a position: what was before it counts as missing. */
  begin(roomNid: number, position: number): Promise<void>;
  /**
   * Takes the next `limit` events before a position away. State stays as part of states and auth chains, without its place
   * in the timeline, and so do redactions. To be called after `begin` until it is done; safe to repeat after a crash.
   * @param keepsLocal whether what users of this server have sent is kept as well, for other servers to ask for
   */
  removePart(roomNid: number, position: number, keepsLocal: boolean, limit: number): Promise<RemovedPart>;
  /** Of the timeline's next `limit` events after a position, those that follow an event which has no state any more. */
  followers(roomNid: number, after: number, limit: number): Promise<GapFollowers>;
  /** Notes events that follow what is missing before a position. */
  addFollowers(roomNid: number, position: number, eventNids: readonly number[]): Promise<void>;
}
