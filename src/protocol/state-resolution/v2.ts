import type { RoomEvent } from "../pdu.ts";
import type { RoomVersion } from "../room-versions.ts";
import { authChainDifference } from "./auth-chain-difference.ts";
import { conflictedSubgraph } from "./conflicted-subgraph.ts";
import { EventReader } from "./event-reader.ts";
import { eventAt, iterativeAuthChecks, type PartialState } from "./iterative-auth-checks.ts";
import { mainlineOrder } from "./mainline-order.ts";
import { reverseTopologicalPowerOrder, selectPowerEvents } from "./power-order.ts";
import { conflictedEvents, type ForkedStates, type ResolutionSource } from "./types.ts";

/**
 * State resolution of room versions 2 to 11 and, where the version says 2.1, of 12 (room versions 2 and 12, "State
 * resolution", "Algorithm").
 */
export function resolveV2(
  version: RoomVersion,
  forks: ForkedStates,
  source: ResolutionSource,
): Map<number, number> {
  const reader = new EventReader(source);
  const isV21 = version.stateResolution === "v2.1";
  const fullConflictedSet = fullConflictedSetOf(forks, source, isV21);
  reader.prepare(fullConflictedSet);
  const create = createEventOf(forks, source, reader);

  // 1. Select the power events of the full conflicted set and what they rest on; sort by reverse topological power
  // ordering.
  const powerEvents = selectPowerEvents(reader, fullConflictedSet);
  const orderedPowerEvents = reverseTopologicalPowerOrder(version, reader, powerEvents, create);
  // 2. Apply the iterative auth checks, starting from the unconflicted state map; in 2.1 from an empty state map.
  const unconflicted = (pair: number) => forks.unconflicted(pair);
  const state: PartialState = { base: isV21 ? () => undefined : unconflicted, resolved: new Map() };
  iterativeAuthChecks(version, source, reader, orderedPowerEvents, state, create);
  // 3. Take all remaining events and order them by the mainline ordering based on the power level in that state.
  const powerLevels = eventAt(state, source.pair("m.room.power_levels", ""));
  const remaining = [...fullConflictedSet].filter((nid) => !powerEvents.has(nid));
  const ordered = mainlineOrder(source, reader, remaining, powerLevels);
  // 4. Apply the iterative auth checks on the partial resolved state and these events.
  iterativeAuthChecks(version, source, reader, ordered, state, create);
  // 5. Update the result by replacing any event with the event with the same key from the unconflicted state map.
  return new Map([...state.resolved].filter(([pair]) => unconflicted(pair) === undefined));
}

/** The conflicted events, the auth difference and, in 2.1, the conflicted state subgraph. */
function fullConflictedSetOf(forks: ForkedStates, source: ResolutionSource, isV21: boolean): Set<number> {
  const conflicted = conflictedEvents(forks);
  const full = conflicted.union(authChainDifference(source, forks));
  return isV21 ? full.union(conflictedSubgraph(source, conflicted)) : full;
}

function createEventOf(
  forks: ForkedStates,
  source: ResolutionSource,
  reader: EventReader,
): RoomEvent | undefined {
  const pair = source.pair("m.room.create", "");
  if (pair === undefined) return undefined;
  const nid = forks.unconflicted(pair) ?? forks.conflicted.get(pair)?.find((event) => event !== undefined);
  return nid === undefined ? undefined : reader.event(nid).roomEvent;
}
