import type { RoomVersion } from "../room-versions.ts";
import type { ResolutionSource, StateMap } from "./types.ts";
import { resolveV1 } from "./v1.ts";
import { resolveV2 } from "./v2.ts";

/**
 * The resolution of several room states, as after the `prev_events` of an event, by the algorithm of the room's version
 * (room versions, "State resolution"). The order of the states does not matter.
 *
 * Beside one pass over the states the work is in proportion to the full conflicted set.
 *
 * @returns a new map; empty for no states
 * @throws what the source throws, and CanonicalJsonError for a third-party invite that has no canonical JSON
 */
export function resolveState(
  version: RoomVersion,
  stateSets: readonly StateMap[],
  source: ResolutionSource,
): Map<number, number> {
  const different = [...new Set(stateSets)];
  const [only] = different;
  if (only === undefined) return new Map();
  if (different.length === 1) return new Map(only);
  return version.stateResolution === "v1"
    ? resolveV1(version, different, source)
    : resolveV2(version, different, source);
}
