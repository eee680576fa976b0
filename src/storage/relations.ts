/** Relation types whose children the server sums up for clients. */
export type BundledRelation = "m.replace" | "m.thread" | "m.reference";

export function isBundledRelation(relation: string | undefined): relation is BundledRelation {
  return relation === "m.replace" || relation === "m.thread" || relation === "m.reference";
}

export interface BundledTarget {
  readonly targetId: string;
  readonly relation: BundledRelation;
}

/** What makes an annotation the repetition of another. */
export interface AnnotationKey {
  readonly targetId: string;
  readonly senderNid: number;
  readonly typeNid: number;
  readonly key: string;
}

/** Which events replace an event: those of the same sender and type. */
export interface ReplacementQuery {
  readonly roomNid: number;
  readonly targetId: string;
  readonly senderNid: number;
  readonly typeNid: number;
  readonly upTo: number;
  readonly limit: number;
}

export interface ThreadSender {
  readonly senderNid: number;
  readonly replies: number;
  readonly latestPosition: number;
}

/** Which children of an event are asked for, and how. Positions as in `EventStore`. */
export interface ChildQuery {
  readonly roomNid: number;
  readonly targetId: string;
  /** `null` for any. */
  readonly relation: string | null;
  readonly typeNid: number | null;
  /** How many relations a child may be away from the target; 1 for the target's own children. */
  readonly maxDepth: number;
  readonly after: number;
  readonly upTo: number;
  readonly newestFirst: boolean;
  readonly limit: number;
}

/** One step up from an event to that which it relates to. */
export interface ParentRelation {
  readonly relation: string;
  readonly targetId: string;
}

export interface ThreadRow {
  readonly rootId: string;
  /** Position of the newest reply. */
  readonly latestPosition: number;
}

/**
 * Relations between the events of a room's timeline (client-server API, "Forming relationships between events"). Events
 * are given as integer IDs.
 */
export interface RelationStore {
  /** The event by which a user has annotated another event with a key. */
  annotationBy(annotation: AnnotationKey): Promise<number | undefined>;
  /** Which of some events have children that are summed up, and of which type. */
  bundledTargets(roomNid: number, targetIds: readonly string[]): Promise<BundledTarget[]>;
  /** Which of some events others relate to, in one of some ways and by one of some senders; `null` is any. */
  relatedTargets(
    roomNid: number,
    targetIds: readonly string[],
    relations: readonly string[] | null,
    senderNids: readonly number[] | null,
  ): Promise<string[]>;
  /**
   * The most recent first, as the specification has it for edits. Of very many, those are looked at that have come last:
   * some bots write their answers as hundreds of edits.
   */
  replacements(query: ReplacementQuery): Promise<number[]>;
  /** How often each sender has replied in a thread, up to a position. */
  threadSenders(roomNid: number, rootId: string, upTo: number): Promise<ThreadSender[]>;
  /** The newest replies in a thread, up to a position, the newest first. */
  newestReplies(roomNid: number, rootId: string, upTo: number, limit: number): Promise<number[]>;
  /** The events that reference a target, oldest first. */
  references(roomNid: number, targetId: string, upTo: number, limit: number): Promise<number[]>;
  /** A page of an event's children. */
  children(query: ChildQuery): Promise<number[]>;
  /**
   * The relations that lead up from an event, nearest first, at most `maxHops` of them. Nothing is above a thread's root:
   * the way ends there.
   */
  parents(eventNid: number, maxHops: number): Promise<ParentRelation[]>;
  /** Whether an event is the root of a thread in a room. */
  isThreadRoot(roomNid: number, eventId: string): Promise<boolean>;
  /** Threads whose newest reply lies before a position, that with the newest reply first. */
  threads(roomNid: number, before: number, limit: number): Promise<ThreadRow[]>;
}
