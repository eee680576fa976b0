/** A sticky event as a sync finds it. */
export interface StickyPlace {
  readonly eventNid: number;
  readonly roomNid: number;
  /** Of the one stream: where the event became one to be delivered. */
  readonly position: number;
}

export interface StickyRoom {
  readonly roomNid: number;
  /** When the last of its events stops being sticky. */
  readonly untilTs: number;
}

/** Which events are sticky, and how long (MSC4354). Commits store them; a redacted one is sticky no longer. */
export interface StickyEventStore {
  /** Those of some rooms after a position, up to another, the oldest first. */
  inRooms(
    roomNids: readonly number[],
    after: number,
    upTo: number,
    nowTs: number,
    limit: number,
  ): Promise<StickyPlace[]>;
  /** When those of some events that are sticky stop being so, by event. */
  untilTs(eventNids: readonly number[], nowTs: number): Promise<ReadonlyMap<number, number>>;
  /** When each sticky event of a sender in a room stops being so; soft-failed ones too, and no more than `limit`. */
  ofSender(roomNid: number, senderNid: number, nowTs: number, limit: number): Promise<number[]>;
  /** The rooms that have sticky events. */
  rooms(nowTs: number): Promise<StickyRoom[]>;
  /** Sticky events of some senders in a room that nobody gets, for they are soft-failed. */
  hidden(roomNid: number, senderNids: readonly number[], nowTs: number): Promise<number[]>;
  /** Has a hidden event delivered from now on. */
  reveal(eventNid: number): Promise<void>;
}
