import type { ForkedStates, StateMap } from "./types.ts";

/** Whole states, separated into what they have in common and where they differ. */
export interface SeparatedState extends ForkedStates {
  /** The pairs that every state has with the same event. */
  readonly common: ReadonlyMap<number, number>;
}

/** Finds the conflicts between states in one pass over each (room version 2, "State resolution", definitions). */
export function separateState(stateSets: readonly StateMap[]): SeparatedState {
  const [first = new Map<number, number>(), ...others] = stateSets;
  const common = new Map<number, number>();
  const conflictedPairs = new Set<number>();
  for (const [pair, event] of first) {
    if (others.every((other) => other.get(pair) === event)) common.set(pair, event);
    else conflictedPairs.add(pair);
  }
  for (const other of others) {
    // A state that is not larger than the common part has nothing beside it.
    if (other.size === common.size) continue;
    for (const pair of other.keys()) if (!first.has(pair)) conflictedPairs.add(pair);
  }
  const conflicted = new Map<number, readonly (number | undefined)[]>();
  for (const pair of conflictedPairs) {
    conflicted.set(
      pair,
      stateSets.map((state) => state.get(pair)),
    );
  }
  return {
    count: stateSets.length,
    common,
    conflicted,
    unconflicted: (pair) => common.get(pair),
    unconflictedAbove: () => common.values(),
  };
}
