import { type AuthGraph, isBelow, lowestOf } from "./types.ts";

/**
 * The conflicted state subgraph (room version 12, "State resolution"): every event that a conflicted event reaches along
 * auth events and that itself reaches one, conflicted events included. The walk ends below the lowest of them.
 */
export function conflictedSubgraph(graph: AuthGraph, conflicted: ReadonlySet<number>): ReadonlySet<number> {
  const citedBy = reverseEdgesBelow(graph, conflicted);
  const subgraph = new Set<number>();
  const pending = [...conflicted];
  for (let event = pending.pop(); event !== undefined; event = pending.pop()) {
    if (subgraph.has(event)) continue;
    subgraph.add(event);
    for (const citing of citedBy.get(event) ?? []) pending.push(citing);
  }
  return subgraph;
}

/** For each event that is reached from the starts, the reached events that cite it. */
function reverseEdgesBelow(graph: AuthGraph, starts: ReadonlySet<number>): Map<number, number[]> {
  const lowest = lowestOf(starts);
  const citedBy = new Map<number, number[]>();
  const reached = new Set(starts);
  const pending = [...starts];
  for (let event = pending.pop(); event !== undefined; event = pending.pop()) {
    if (isBelow(graph, event, lowest)) continue;
    for (const authEvent of graph.authEventNids(event)) {
      const citing = citedBy.get(authEvent);
      if (citing === undefined) citedBy.set(authEvent, [event]);
      else citing.push(event);
      if (reached.has(authEvent)) continue;
      reached.add(authEvent);
      pending.push(authEvent);
    }
  }
  return citedBy;
}
