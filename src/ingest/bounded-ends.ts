import type { Extremity } from "./room-head.ts";

/** An end of a room's graph. */
export interface GraphEnd {
  readonly extremity: Extremity;
  readonly stateAfter: number | undefined;
}

/** All ends are written with each event that comes, and their states are resolved. */
const maxEnds = 50;

/**
 * The ends that a room's graph is said to have once an event has been added to it. Where they are too many, those that
 * leave the same state behind as a newer one go first, the oldest before others: the room's state is the same without them.
 * An event that would be one end too many even so waits for one that follows it: a flood of branches must not push
 * out what is in force.
 * @param left the ends that the event does not follow, in the order in which they came
 * @param isBranch whether it follows none of the ends that there were
 */
export function boundedEnds(
  left: readonly GraphEnd[],
  newest: GraphEnd,
  isBranch: boolean,
): readonly GraphEnd[] {
  const ends = [...left, newest];
  const surplus = ends.length - maxEnds;
  if (surplus <= 0) return ends;
  const kept = withoutRepeated(ends, surplus);
  return kept.length > maxEnds && isBranch ? kept.filter((end) => end !== newest) : kept;
}

/** @param surplus so many go at most */
function withoutRepeated(ends: readonly GraphEnd[], surplus: number): readonly GraphEnd[] {
  const alike = new Map<number | undefined, number>();
  for (const { stateAfter } of ends) alike.set(stateAfter, (alike.get(stateAfter) ?? 0) + 1);
  let left = surplus;
  return ends.filter(({ stateAfter }) => {
    const count = alike.get(stateAfter) ?? 0;
    if (left === 0 || count <= 1) return true;
    alike.set(stateAfter, count - 1);
    left -= 1;
    return false;
  });
}
