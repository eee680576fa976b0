import { separateState } from "./separate.ts";
import type { AuthGraph, StateMap } from "./types.ts";

/**
 * The auth difference of states (room version 2, "State resolution"), by walking the graph: events that some states can
 * reach along auth events, and others cannot. Where no event beyond the states' own conflicts is in question the walk
 * ends at once; at worst it visits each event of the room's auth graph once.
 *
 * A state's own events count as part of its chain, as they do in other servers. Events in which the states differ may
 * be in the answer or not, since they are in the full conflicted set anyway.
 */
export function walkAuthChainDifference(
  graph: AuthGraph,
  stateSets: readonly StateMap[],
): ReadonlySet<number> {
  const { unconflicted, conflicted } = separateState(stateSets);
  if (conflicted.size === 0) return new Set();
  const shared = new Set(unconflicted.values());
  const reachCounts = countReach(graph, stateSets, [...conflicted.keys()], shared);

  const difference = new Set<number>();
  for (const [event, count] of reachCounts) if (count < stateSets.length) difference.add(event);
  const known = new Set([...conflicted.values()].flat());
  subtractReachable(graph, shared, difference, known);
  return difference;
}

/** How many states reach an event from their conflicted events, by way of events that are not in every state. */
function countReach(
  graph: AuthGraph,
  stateSets: readonly StateMap[],
  conflictedPairs: readonly number[],
  shared: ReadonlySet<number>,
): Map<number, number> {
  const counts = new Map<number, number>();
  for (const state of stateSets) {
    const starts = conflictedPairs.map((pair) => state.get(pair)).filter((event) => event !== undefined);
    const reached = new Set<number>();
    walk(graph, starts, reached, (event) => {
      if (shared.has(event)) return false;
      counts.set(event, (counts.get(event) ?? 0) + 1);
      return true;
    });
  }
  return counts;
}

/** Takes from the candidates what every state reaches through an event that all of them have. */
function subtractReachable(
  graph: AuthGraph,
  shared: ReadonlySet<number>,
  candidates: Set<number>,
  known: ReadonlySet<number>,
): void {
  const openEvents = [...candidates].filter((event) => !known.has(event));
  let open = openEvents.length;
  const lowest = openEvents.reduce((low, event) => Math.min(low, event), Number.POSITIVE_INFINITY);
  const isInVain = (event: number) => graph.isBelow?.(event, lowest) === true;
  const reached = new Set<number>();
  for (const start of shared) {
    if (open === 0) return;
    if (isInVain(start)) continue;
    walk(graph, [start], reached, (event) => {
      if (isInVain(event)) return false;
      if (candidates.delete(event) && !known.has(event)) open -= 1;
      return open > 0;
    });
  }
}

/** Visits what the starts reach, themselves included and each once; goes on below an event if `visit` says so. */
function walk(
  graph: AuthGraph,
  starts: readonly number[],
  reached: Set<number>,
  visit: (event: number) => boolean,
): void {
  const pending = [...starts];
  for (let event = pending.pop(); event !== undefined; event = pending.pop()) {
    if (reached.has(event)) continue;
    reached.add(event);
    if (!visit(event)) continue;
    for (const authEvent of graph.authEventNids(event)) if (!reached.has(authEvent)) pending.push(authEvent);
  }
}
