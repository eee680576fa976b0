import { Heap } from "./heap.ts";
import { isInLine } from "./succession.ts";
import { type AuthGraph, conflictedEvents, type ForkedStates, isBelow } from "./types.ts";

/**
 * The auth difference of states (room version 2, "State resolution"): events that some states can reach along auth events,
 * and others cannot. A state's own events count as part of its chain, as they do in other servers. Events in which the
 * states differ are not in the answer: they are in the full conflicted set anyway.
 *
 * The walk goes down from the conflicts until all states have met. What comes before an event of a state in its line is
 * known to be reached without walking there, so that no length of history is walked through.
 */
export function authChainDifference(graph: AuthGraph, forks: ForkedStates): ReadonlySet<number> {
  const walk = new ForkWalk(graph, forks);
  for (const events of forks.conflicted.values()) {
    for (const [index, event] of events.entries()) if (event !== undefined) walk.reach(event, bitOf(index));
  }
  walk.findOpen();
  walk.closeReached();
  if (walk.open.size === 0) return walk.open;
  // What is left may still be reached through an event that all states have.
  for (const event of sharedEvents(graph, forks, walk.lowestOpen)) walk.reach(event, walk.all);
  walk.closeReached();
  return walk.open;
}

/** The events of every state that may reach one with this integer or a greater one. */
function* sharedEvents(graph: AuthGraph, forks: ForkedStates, lowest: number): Iterable<number> {
  const { lateEvents } = graph;
  yield* forks.unconflictedAbove(lateEvents ? lowest : Number.NEGATIVE_INFINITY);
  for (const event of lateEvents ?? []) {
    const pair = graph.pairOf(event);
    if (pair !== undefined && forks.unconflicted(pair) === event) yield event;
  }
}

/** Goes along auth events, and notes which states reach each: a set of bits, one for each state. */
class ForkWalk {
  readonly #graph: AuthGraph;
  readonly #forks: ForkedStates;
  readonly #conflicted: ReadonlySet<number>;
  readonly #reachedBy = new Map<number, bigint>();
  /** Events that some states reach, newest first, so that an event comes after those by which others may reach it. */
  readonly #bySome = new Heap<number>((left, right) => right - left);
  /** Events that all states reach, from which nobody has gone on. */
  readonly #byAll: number[] = [];
  readonly all: bigint;
  /** The events found so far that not all states reach, but for the conflicts themselves. */
  readonly open = new Set<number>();
  lowestOpen = Number.POSITIVE_INFINITY;

  constructor(graph: AuthGraph, forks: ForkedStates) {
    this.#graph = graph;
    this.#forks = forks;
    this.#conflicted = conflictedEvents(forks);
    this.all = bitOf(forks.count) - 1n;
  }

  /** Notes that some states reach an event. */
  reach(event: number, states: bigint): void {
    const before = this.#reachedBy.get(event) ?? 0n;
    const after = before | states;
    if (after === before) return;
    this.#reachedBy.set(event, after);
    if (after !== this.all) {
      this.#bySome.push(event);
      return;
    }
    this.open.delete(event);
    this.#byAll.push(event);
  }

  /** Finds all events that not every state is known to reach. */
  findOpen(): void {
    for (let event = this.#bySome.pop(); event !== undefined; event = this.#bySome.pop()) {
      const states = (this.#reachedBy.get(event) ?? 0n) | this.#statesPast(event);
      if (states === this.all) {
        this.reach(event, states);
        continue;
      }
      this.#reachedBy.set(event, states);
      if (!this.#conflicted.has(event)) {
        this.open.add(event);
        this.lowestOpen = Math.min(this.lowestOpen, event);
      }
      for (const authEvent of this.#graph.authEventNids(event)) this.reach(authEvent, states);
    }
  }

  /** Goes on from what every state reaches as long as that may lead to an open event. */
  closeReached(): void {
    while (this.open.size > 0) {
      const event = this.#byAll.pop();
      if (event === undefined) return;
      if (isBelow(this.#graph, event, this.lowestOpen)) continue;
      for (const authEvent of this.#graph.authEventNids(event)) this.reach(authEvent, this.all);
    }
  }

  /** The states that have, in an event's place, it or one that comes after it in its line. */
  #statesPast(event: number): bigint {
    const pair = this.#graph.pairOf(event);
    if (pair === undefined) return 0n;
    const ofStates = this.#forks.conflicted.get(pair);
    if (!ofStates) return this.#isPassed(event, this.#forks.unconflicted(pair)) ? this.all : 0n;
    let states = 0n;
    for (const [index, newest] of ofStates.entries()) {
      if (this.#isPassed(event, newest)) states |= bitOf(index);
    }
    return states;
  }

  #isPassed(event: number, newest: number | undefined): boolean {
    return newest !== undefined && isInLine(this.#graph, event, newest);
  }
}

function bitOf(index: number): bigint {
  return 1n << BigInt(index);
}
