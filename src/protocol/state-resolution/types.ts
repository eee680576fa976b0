import type { RoomEvent } from "../pdu.ts";

/**
 * A room state: from the integer of a (type, state key) pair to the integer of the event in that place. Which integers
 * is the caller's affair, as long as equal ones mean the same pair or event.
 */
export type StateMap = ReadonlyMap<number, number>;

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
export interface AuthGraph {
  /** The integers of an event's `auth_events`. */
  authEventNids(nid: number): readonly number[];

  /**
   * Whether an event is certain to reach neither another one nor any with a greater integer than that, itself not being
   * one of them: there is no need to go on from it. Without this method nothing is certain.
   */
  isBelow?(nid: number, other: number): boolean;
}

/** Where state resolution gets events from. All of it is synchronous: resolving runs off the request path. */
export interface ResolutionSource {
  /** The event with this integer. Resolution asks for each event once. */
  event(nid: number): ResolvableEvent;

  /** The integer of a (type, state key) pair, or `undefined` when no event that is stored has it. */
  pair(type: string, stateKey: string): number | undefined;

  /**
   * The auth difference: events which are in the full auth chain of some of the states and not of all, a state's own
   * events counting as part of its chain. Events in which the states differ may be in the answer or not, since
   * resolution looks at them anyway. `walkAuthChainDifference` computes it without an index.
   */
  authChainDifference(stateSets: readonly StateMap[]): ReadonlySet<number>;

  /**
   * The conflicted state subgraph: all events on paths along auth events from one of these events to another, ends
   * included. `walkConflictedSubgraph` computes it without an index. Only room versions 12 and later ask for it.
   */
  conflictedSubgraph(conflicted: ReadonlySet<number>): ReadonlySet<number>;
}
