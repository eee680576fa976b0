import type { StoredEvent } from "./events.ts";
import type { Membership } from "./memberships.ts";
import type { NumberedPair } from "./names.ts";
import type { RoomSummaryChange } from "./room-summaries.ts";
import type { SnapshotRow } from "./state.ts";

/** What an event that is shown does beside taking its place. */
export interface EventEffects {
  /** Until when the event is sticky, in milliseconds since the epoch. */
  readonly stickyUntilTs?: number | undefined;
  readonly relation?: EventRelation | undefined;
  readonly redaction?: AppliedRedaction | undefined;
  /** A redaction of this event that was stored before it. */
  readonly lateRedaction?: LateRedaction | undefined;
  /** Somebody of whom everything that they have sent since they joined is to be redacted: see `RedactionSweep`. */
  readonly redactsAllOf?: number | undefined;
  /** The event that a redaction is for, which is not here: the redaction waits for it. */
  readonly awaitedTarget?: string | undefined;
}

export interface NewEvent extends Omit<StoredEvent, "position" | "redactedBy">, EventEffects {
  /** Whether it takes a place in the room's timeline. */
  readonly inTimeline: boolean;
  /** Events that have to be stored already, or earlier in the same commit. */
  readonly prevNids: readonly number[];
  /** For state events. */
  readonly authNids: readonly number[];
  readonly transaction?: NewTransaction | undefined;
  /** When the event was sent, for one that was a delayed event. */
  readonly finalisedTs?: number | undefined;
  /** The place in the timeline of an event that fills a gap; one after all others where this is absent. */
  readonly historyPosition?: number | undefined;
  /**
   * Events by which this one of the timeline follows others that are missing, itself among them or not: room is left for
   * what is missing.
   */
  readonly gapFollowers?: readonly number[] | undefined;
}

/** See `SendTransaction`. */
export interface NewTransaction {
  readonly deviceId: string;
  readonly id: string;
  readonly targetId: string;
  readonly createdTs: number;
}

export interface EventRelation {
  readonly targetId: string;
  /** `rel_type`, or `m.in_reply_to` for a plain reply. */
  readonly relation: string;
  /** The key of an annotation. */
  readonly key: string | null;
}

/** What is left of the event that a redaction redacts. */
export interface AppliedRedaction {
  readonly targetNid: number;
  readonly common: string;
  readonly federation: string;
}

export interface LateRedaction extends AppliedRedaction {
  readonly redactionNid: number;
}

export interface CurrentMembership {
  readonly userNid: number;
  readonly isLocal: boolean;
  readonly membership: Membership;
  readonly eventNid: number;
}

export interface NewRoom {
  readonly roomId: string;
  readonly version: string;
  readonly listing?: RoomListing | undefined;
}

/** How a new room can be found. */
export interface RoomListing {
  /** Whether this server's directory has it. */
  readonly isPublic: boolean;
  readonly alias: { readonly name: string; readonly creatorNid: number } | undefined;
}

export interface FilledGap {
  /** Where the gap has been: the position of the event after it. */
  readonly position: number;
  /** What of it is left, or has come out of it: nothing, and the gap is closed. */
  readonly left: readonly TimelineGap[];
}

export interface TimelineGap {
  /** Of the event after the gap. */
  readonly position: number;
  /** Events at this position or later that follow missing ones. */
  readonly followers: readonly number[];
}

export interface CommittedHead {
  /** All forward extremities. */
  readonly extremities: readonly number[];
  /** The resolved state after them. */
  readonly currentSnapshot: number;
  /** By how many events that state is larger than the one before; 0 unless said otherwise. */
  readonly stateEventsAdded?: number;
}

/** Events of one room that become part of its graph together, and what the room is afterwards. */
export interface EventCommit {
  readonly roomNid: number;
  /** Set with the room's first events. */
  readonly newRoom?: NewRoom | undefined;
  readonly events: readonly NewEvent[];
  /** Pairs of the events that may not be stored yet. */
  readonly pairs?: readonly NumberedPair[];
  readonly snapshots: readonly SnapshotRow[];
  /** Where the room's graph stands afterwards; absent where that does not change. */
  readonly head?: CommittedHead | undefined;
  /** What other servers have told of a room to which one of its users is invited, or on which they have knocked. */
  readonly strippedState?: { readonly eventNid: number; readonly events: readonly string[] } | undefined;
  /** Memberships that differ in the current state afterwards. */
  readonly memberships: readonly CurrentMembership[];
  /** Set when the events are older than others of the timeline: what is left of the gap that they are from. */
  readonly filledGap?: FilledGap | undefined;
  /** What differs afterwards in what the room tells of itself. */
  readonly summary?: RoomSummaryChange | undefined;
}

/** What an event's place in the graph has become, now that more is known of the state before it. */
export interface RestatedEvent {
  readonly eventNid: number;
  readonly stateBefore: number | null;
  readonly stateAfter: number | null;
  readonly roomState: number | null;
  readonly flags: number;
  readonly replaces: number | null;
  /** Whether it has a place in the timeline: the one that it had, or a new one. */
  readonly inTimeline: boolean;
  /** Of an event that gets a new place, and what had to wait of others. */
  readonly effects?: EventEffects;
}

/** States of a room that were known in part, made whole. */
export interface Restatement {
  readonly roomNid: number;
  readonly events: readonly RestatedEvent[];
  readonly snapshots: readonly SnapshotRow[];
  readonly head: CommittedHead;
  readonly memberships: readonly CurrentMembership[];
  readonly summary?: RoomSummaryChange | undefined;
}

export interface CommitStore {
  /**
   * Stores the events: all or none.
   * @returns the timeline position of each event, in order; `null` for one outside the timeline. `undefined` when an
   * event follows one that is not stored, because that one's own commit has failed, when one was sent under a transaction
   * ID before, or when the alias of a new room is taken: nothing is stored then.
   */
  commit(commit: EventCommit): Promise<(number | null)[] | undefined>;
  /** Stores what has become of events that were stored while only part of the room's state was known. */
  restate(restatement: Restatement): Promise<void>;
}
