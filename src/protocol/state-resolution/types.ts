import type { RoomEvent } from "../pdu.ts";
import type { Successions } from "./succession.ts";

/**
 * A room state: from the integer of a (type, state key) pair to the integer of the event in that place. Which integers
 * is the caller's affair, as long as equal ones mean the same pair or event.
 */
export type StateMap = ReadonlyMap<number, number>;

/** Several states of a room: in what they differ, and what they have in common, which is most of them. */
export interface ForkedStates {
  /** How many states there are. */
  readonly count: number;

  /** The pairs in which states differ, with the event of each state there, in the order of the states. */
  readonly conflicted: ReadonlyMap<number, readonly (number | undefined)[]>;

  /** The event that every state has for a pair; `undefined` where they differ, and where none has any. */
  unconflicted(pair: number): number | undefined;

  /** The events of {@link unconflicted}, at least those with a greater integer than this one. */
  unconflictedAbove(nid: number): Iterable<number>;
}

/** A state event, as state resolution looks at it. */
export interface ResolvableEvent {
  readonly nid: number;
  readonly roomEvent: RoomEvent;
  /** The integers of `auth_events`, in the event's order. */
  readonly authEventNids: readonly number[];
  /** Whether the event failed the checks performed on receipt of a PDU. */
  readonly rejected: boolean;
}

/** The graph of auth events alone, for walking it without reading any event. */
export interface AuthGraph extends Successions {
  /** The integers of an event's `auth_events`. */
  authEventNids(nid: number): readonly number[];

  /** The integer of an event's own (type, state key) pair. */
  pairOf(nid: number): number | undefined;

  /**
   * The events that rest on some with greater integers than their own, all others resting on lower ones: a walk need not
   * go on from what is too low. Without this, nothing is known of the integers' order.
   */
  readonly lateEvents?: ReadonlySet<number>;
}

/** Where state resolution gets events from. All of it is synchronous: resolving runs off the request path. */
export interface ResolutionSource extends AuthGraph {
  /** The events with these integers, in any order. Resolution asks for each event once, and for many at a time. */
  events(nids: readonly number[]): Iterable<ResolvableEvent>;

  /** The integer of a (type, state key) pair, or `undefined` when no event that is stored has it. */
  pair(type: string, stateKey: string): number | undefined;
}

/** Whether an event is certain to reach neither another one nor any with a greater integer than that, but for itself. */
export function isBelow({ lateEvents }: AuthGraph, nid: number, other: number): boolean {
  return lateEvents !== undefined && nid < other && !lateEvents.has(nid);
}

/** All events in which states differ. */
export function conflictedEvents(forks: ForkedStates): Set<number> {
  const conflicted = new Set<number>();
  for (const events of forks.conflicted.values()) {
    for (const event of events) if (event !== undefined) conflicted.add(event);
  }
  return conflicted;
}

/** The lowest of some integers; infinite for none. */
export function lowestOf(nids: Iterable<number>): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (const nid of nids) lowest = Math.min(lowest, nid);
  return lowest;
}
