import { createHash } from "node:crypto";
import type { AuthState } from "../auth/auth-state.ts";
import { authorise } from "../auth/authorise.ts";
import { compareCodePoints } from "../canonical-json.ts";
import type { RoomVersion } from "../room-versions.ts";
import { EventReader } from "./event-reader.ts";
import { conflictedEvents, type ForkedStates, type ResolvableEvent, type ResolutionSource } from "./types.ts";

/** A place in the state for which states have different events. */
interface Conflict {
  readonly pair: number;
  /** By ascending depth, then descending SHA-1 of the event ID. */
  readonly events: readonly ResolvableEvent[];
}

/** Conflicts between these are resolved first, one type after the other. */
const authTypes = ["m.room.power_levels", "m.room.join_rules", "m.room.member"];

/** State resolution of room version 1 (room version 1, "State resolution"). */
export function resolveV1(
  version: RoomVersion,
  forks: ForkedStates,
  source: ResolutionSource,
): Map<number, number> {
  const reader = new EventReader(source);
  const resolved = new Map<number, number>();
  const conflicts: Conflict[] = [];
  reader.prepare(conflictedEvents(forks));
  for (const [pair, events] of forks.conflicted) {
    const nids = [...new Set(events)].filter((event) => event !== undefined);
    const [nid] = nids;
    // A conflict takes different events; that some states have none is not a conflict in this version.
    if (nid !== undefined && nids.length === 1) resolved.set(pair, nid);
    else conflicts.push({ pair, events: nids.map((each) => reader.event(each)).sort(compareDepth) });
  }

  const stateAt = (pair: number) => resolved.get(pair) ?? forks.unconflicted(pair);
  const isAllowed = (event: ResolvableEvent, replaced: Conflict, by: ResolvableEvent | undefined) =>
    authorise(version, event.roomEvent, stateWith(source, reader, stateAt, replaced, by)) === undefined;

  const byType = Map.groupBy(conflicts, typeOf);
  for (const type of authTypes) {
    // Resolved one beside the other, by the state before all of them: so their order does not matter.
    const winners = (byType.get(type) ?? []).map((conflict) => ({
      pair: conflict.pair,
      event: lastAllowed(conflict, isAllowed),
    }));
    for (const { pair, event } of winners) if (event !== undefined) resolved.set(pair, event.nid);
    byType.delete(type);
  }
  for (const conflict of [...byType.values()].flat()) {
    const event = deepestAllowed(conflict, isAllowed);
    if (event !== undefined) resolved.set(conflict.pair, event.nid);
  }
  return resolved;
}

type IsAllowed = (event: ResolvableEvent, replaced: Conflict, by: ResolvableEvent | undefined) => boolean;

/** The first event, or the last of those which the rules allow one after the other. */
function lastAllowed(conflict: Conflict, isAllowed: IsAllowed): ResolvableEvent | undefined {
  let [winner, ...later] = conflict.events;
  for (const event of later) {
    if (!isAllowed(event, conflict, winner)) break;
    winner = event;
  }
  return winner;
}

/** The event with the highest depth and lowest SHA-1 of its ID that the rules allow; the least of them if none is. */
function deepestAllowed(conflict: Conflict, isAllowed: IsAllowed): ResolvableEvent | undefined {
  const allowed = conflict.events.findLast((event) => isAllowed(event, conflict, undefined));
  return allowed ?? conflict.events[0];
}

/** The state as far as it is resolved, with an event put in place of a conflict. */
function stateWith(
  source: ResolutionSource,
  reader: EventReader,
  stateAt: ForkedStates["unconflicted"],
  replaced: Conflict,
  by: ResolvableEvent | undefined,
): AuthState {
  return {
    get(type, stateKey) {
      const pair = source.pair(type, stateKey);
      if (pair === undefined) return undefined;
      if (pair === replaced.pair) return by?.roomEvent;
      const nid = stateAt(pair);
      return nid === undefined ? undefined : reader.event(nid).roomEvent;
    },
  };
}

/** The type of a conflict's events. Power levels and join rules beside the empty state key have no effect on others. */
function typeOf(conflict: Conflict): string {
  const event = conflict.events[0]?.roomEvent;
  if (event === undefined) return "";
  return event.type === "m.room.member" || event.stateKey === "" ? event.type : "";
}

function compareDepth(left: ResolvableEvent, right: ResolvableEvent): number {
  const byDepth = left.roomEvent.depth - right.roomEvent.depth;
  if (byDepth !== 0) return byDepth;
  return compareCodePoints(sha1(right.roomEvent.eventId), sha1(left.roomEvent.eventId));
}

function sha1(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
