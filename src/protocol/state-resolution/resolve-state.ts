import type { RoomVersion } from "../room-versions.ts";
import { separateState } from "./separate.ts";
import type { ForkedStates, ResolutionSource, StateMap } from "./types.ts";
import { resolveV1 } from "./v1.ts";
import { resolveV2 } from "./v2.ts";

/**
 * The resolution of several room states, as after the `prev_events` of an event, by the algorithm of the room's version
 * (room versions, "State resolution"). The order of the states does not matter.
 *
 * @returns a new map; empty for no states
 * @throws what {@link resolveForks} throws
 */
export function resolveState(
  version: RoomVersion,
  stateSets: readonly StateMap[],
  source: ResolutionSource,
): Map<number, number> {
  const forks = separateState([...new Set(stateSets)]);
  return new Map([...forks.common, ...resolveForks(version, forks, source)]);
}

/**
 * The same for states of which little more is known than where they differ: the work is in proportion to the full
 * conflicted set, however large the states are.
 *
 * @returns the entries of the resolved state beside the unconflicted ones
 * @throws what the source throws, and CanonicalJsonError for a third-party invite that has no canonical JSON
 */
export function resolveForks(
  version: RoomVersion,
  forks: ForkedStates,
  source: ResolutionSource,
): Map<number, number> {
  if (forks.conflicted.size === 0) return new Map();
  return version.stateResolution === "v1"
    ? resolveV1(version, forks, source)
    : resolveV2(version, forks, source);
}
