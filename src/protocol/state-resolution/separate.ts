import type { StateMap } from "./types.ts";

/** What several states have in common, and where they differ. */
export interface SeparatedState {
  /** The pairs that every state has with the same event. */
  readonly unconflicted: Map<number, number>;
  /** The other pairs, each with the different events that states have there; a state may also have none. */
  readonly conflicted: ReadonlyMap<number, readonly number[]>;
}

/** Finds the conflicts between states in one pass over each (room version 2, "State resolution", definitions). */
export function separateState(stateSets: readonly StateMap[]): SeparatedState {
  const [first, ...others] = stateSets;
  const unconflicted = new Map<number, number>();
  const conflictedPairs = new Set<number>();
  if (first === undefined) return { unconflicted, conflicted: new Map() };

  for (const [pair, event] of first) {
    if (others.every((other) => other.get(pair) === event)) unconflicted.set(pair, event);
    else conflictedPairs.add(pair);
  }
  for (const other of others) {
    // A state that is not larger than the common part has nothing beside it.
    if (other.size === unconflicted.size) continue;
    for (const pair of other.keys()) if (!first.has(pair)) conflictedPairs.add(pair);
  }
  const conflicted = new Map<number, readonly number[]>();
  for (const pair of conflictedPairs) conflicted.set(pair, eventsAt(stateSets, pair));
  return { unconflicted, conflicted };
}

function eventsAt(stateSets: readonly StateMap[], pair: number): number[] {
  const events = new Set<number>();
  for (const state of stateSets) {
    const event = state.get(pair);
    if (event !== undefined) events.add(event);
  }
  return [...events];
}
