import type { RoomEvent } from "../pdu.ts";
import type { RoomVersion } from "../room-versions.ts";
import { EventReader } from "./event-reader.ts";
import { eventAt, iterativeAuthChecks, type PartialState } from "./iterative-auth-checks.ts";
import { mainlineOrder } from "./mainline-order.ts";
import { reverseTopologicalPowerOrder, selectPowerEvents } from "./power-order.ts";
import { separateState } from "./separate.ts";
import type { ResolutionSource, StateMap } from "./types.ts";

/**
 * State resolution of room versions 2 to 11 and, where the version says 2.1, of 12 (room versions 2 and 12, "State
 * resolution", "Algorithm").
 */
export function resolveV2(
  version: RoomVersion,
  stateSets: readonly StateMap[],
  source: ResolutionSource,
): Map<number, number> {
  const { unconflicted, conflicted } = separateState(stateSets);
  if (conflicted.size === 0) return unconflicted;

  const reader = new EventReader(source);
  const conflictedSet = new Set([...conflicted.values()].flat());
  const fullConflictedSet = new Set(conflictedSet);
  for (const nid of source.authChainDifference(stateSets)) fullConflictedSet.add(nid);
  const isV21 = version.stateResolution === "v2.1";
  if (isV21) for (const nid of source.conflictedSubgraph(conflictedSet)) fullConflictedSet.add(nid);
  const create = createEventOf(stateSets, source, reader);

  // 1. Select the power events of the full conflicted set and what they rest on; sort by reverse topological power
  // ordering.
  const powerEvents = selectPowerEvents(reader, fullConflictedSet);
  const orderedPowerEvents = reverseTopologicalPowerOrder(version, reader, powerEvents, create);
  // 2. Apply the iterative auth checks, starting from the unconflicted state map; in 2.1 from an empty state map.
  const state: PartialState = { base: isV21 ? new Map() : unconflicted, resolved: new Map() };
  iterativeAuthChecks(version, source, reader, orderedPowerEvents, state, create);
  // 3. Take all remaining events and order them by the mainline ordering based on the power level in that state.
  const powerLevels = eventAt(state, source.pair("m.room.power_levels", ""));
  const remaining = [...fullConflictedSet].filter((nid) => !powerEvents.has(nid));
  const ordered = mainlineOrder(reader, remaining, powerLevels);
  // 4. Apply the iterative auth checks on the partial resolved state and these events.
  iterativeAuthChecks(version, source, reader, ordered, state, create);
  // 5. Update the result by replacing any event with the event with the same key from the unconflicted state map.
  for (const [pair, nid] of state.resolved) if (!unconflicted.has(pair)) unconflicted.set(pair, nid);
  return unconflicted;
}

function createEventOf(
  stateSets: readonly StateMap[],
  source: ResolutionSource,
  reader: EventReader,
): RoomEvent | undefined {
  const pair = source.pair("m.room.create", "");
  if (pair === undefined) return undefined;
  for (const state of stateSets) {
    const nid = state.get(pair);
    if (nid !== undefined) return reader.event(nid).roomEvent;
  }
  return undefined;
}
