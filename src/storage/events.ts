/** What became of an event that did not simply join its room's graph. */
export const eventFlags = {
  /** It failed an authorisation rule: it is kept for what refers to it. */
  rejected: 1,
  /** It was allowed where it stands in the graph, and not by the room's state when it came. */
  softFailed: 2,
  /** It is known without its place in the graph, for being part of a state or an auth chain. */
  outlier: 4,
  /** A user of another server came in by this one, which has to tell the room's other servers of it. */
  relayed: 8,
  /** A user of this server came in by another one, which tells the room's other servers of it. */
  handedOver: 16,
  /** It was refused, or put off, before all members of its room were known: it is judged anew once they are. */
  early: 32,
} as const;

/** What goes when an event is judged anew that was put off: it had one of them, or neither. */
export const refusedEarly = eventFlags.early | eventFlags.rejected | eventFlags.softFailed;

/** An event as it is stored: integers inside, and the JSON that it is sent as. */
export interface StoredEvent {
  readonly eventNid: number;
  readonly eventId: string;
  readonly roomNid: number;
  /** Place in the room's timeline; `null` for an outlier and for a rejected or soft-failed event. */
  readonly position: number | null;
  readonly typeNid: number;
  /** The pair of type and state key, for a state event. */
  readonly pairNid: number | null;
  readonly senderNid: number;
  readonly depth: number;
  readonly originServerTs: number;
  /** State snapshots before and after the event; `null` for an outlier. */
  readonly stateBefore: number | null;
  readonly stateAfter: number | null;
  /** The room's resolved state from this event's commit on, where that differs from `stateAfter` (after a fork). */
  readonly roomState: number | null;
  /** See {@link eventFlags}. */
  readonly flags: number;
  /** The redaction that took the content away. */
  readonly redactedBy: number | null;
  /** The state event whose place this one took. */
  readonly replaces: number | null;
  /** The delayed event that this one was until it was sent. */
  readonly delayId: string | null;
  /** The keys that clients see (`content`, `origin_server_ts`, `sender`, `state_key`, `type` ...), without the braces. */
  readonly common: string;
  /** The other keys (`auth_events`, `hashes`, `prev_events`, `signatures` ...), without the braces. */
  readonly federation: string;
}

/** Where an event is in its room's timeline. */
export interface TimelinePlace {
  readonly eventNid: number;
  readonly position: number;
}

/** An event of a timeline, as far as it can be told without reading it. */
export type EventOutline = Pick<
  StoredEvent,
  "eventNid" | "position" | "pairNid" | "senderNid" | "redactedBy"
>;

/** Transaction IDs are remembered for this long at least. */
export const transactionLifetimeMs = 24 * 60 * 60 * 1000;

/**
 * What makes a send the repetition of another (client-server API, "Transaction identifiers"): "the transaction ID is the
 * same as a previous request, and the path of the HTTP request is the same".
 */
export interface SendTransaction {
  readonly userNid: number;
  readonly deviceId: string;
  readonly transactionId: string;
  readonly roomNid: number;
  readonly typeNid: number;
  /** The event that the path names as well; empty where it names none. */
  readonly targetId: string;
}

/** A stored event as an entry of a state. */
export interface StateEntry {
  readonly eventId: string;
  readonly eventNid: number;
  readonly roomNid: number;
  /** `null` for an event that is no state event. */
  readonly pairNid: number | null;
}

/** Reads events. A page never holds more than its limit; positions are those of the one stream. */
export interface EventStore {
  byNid(eventNid: number): Promise<StoredEvent | undefined>;
  /** In no particular order; unknown ones are left out. */
  byNids(eventNids: readonly number[]): Promise<StoredEvent[]>;
  byId(eventId: string): Promise<StoredEvent | undefined>;
  nidOf(eventId: string): Promise<number | undefined>;
  /** The integer IDs of those events that are stored, in no particular order. */
  nidsOf(
    eventIds: readonly string[],
  ): Promise<readonly { readonly eventId: string; readonly eventNid: number }[]>;
  /** The same, with what says of which state they can be part; in no particular order. */
  stateEntries(eventIds: readonly string[]): Promise<readonly StateEntry[]>;
  /** The redactions that came before the event that they are for. */
  waitingRedactions(targetId: string): Promise<readonly number[]>;
  /** The stripped state that came with a member event of another server, as JSON texts. */
  strippedState(memberEventNid: number): Promise<readonly string[] | undefined>;
  /** Those that have entered a room's graph since an event, that one first. */
  graphSince(roomNid: number, eventNid: number): Promise<readonly number[]>;
  /** Positions of the room's events before which events are missing, in ascending order. */
  gaps(roomNid: number): Promise<readonly number[]>;
  /** The events that follow those which are missing in the gap before a position. */
  gapFollowers(roomNid: number, position: number): Promise<readonly number[]>;
  /** A room's timeline forwards: positions after `from`, up to and including `upTo`, oldest first. */
  timelineForwards(roomNid: number, from: number, upTo: number, limit: number): Promise<StoredEvent[]>;
  /** A room's timeline backwards, without what is in the events: for long stretches. */
  outlinesBackwards(roomNid: number, from: number, downTo: number, limit: number): Promise<EventOutline[]>;
  /**
   * Where the events of a room's timeline are, backwards: positions up to and including `from`, and after `downTo`, newest
   * first.
   */
  placesBackwards(roomNid: number, from: number, downTo: number, limit: number): Promise<TimelinePlace[]>;
  /** Where the newest events are, up to a position, of all the rooms that a user is joined to. */
  placesInJoinedRooms(userNid: number, from: number, limit: number): Promise<TimelinePlace[]>;
  /**
   * The events of a timeline, up to a position, whose time is closest to a moment: not before it, or not after it.
   * The closest first.
   */
  closestInTime(
    roomNid: number,
    originServerTs: number,
    direction: "forwards" | "backwards",
    upTo: number,
    limit: number,
  ): Promise<number[]>;
  /** Everything that some events rest on, directly or not; without those themselves, unless others rest on them. */
  authChain(eventNids: readonly number[]): Promise<readonly number[]>;
  /** The auth events of a state event. */
  authNids(eventNid: number): Promise<readonly number[]>;
  /** The event that a device has sent under a transaction ID. */
  byTransaction(transaction: SendTransaction): Promise<number | undefined>;
  /** Whether any transaction ID of a device is remembered. */
  hasTransactions(userNid: number, deviceId: string): Promise<boolean>;
  /** Transaction IDs under which a device has sent some of these events, by event. */
  transactionIds(
    userNid: number,
    deviceId: string,
    eventNids: readonly number[],
  ): Promise<ReadonlyMap<number, string>>;
}
