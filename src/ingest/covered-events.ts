import type { EventId } from "../protocol/identifiers.ts";
import { eventFlags } from "../storage/events.ts";

/** An event that others follow: what is known of it in the graph. */
export interface Followed {
  readonly eventNid: number;
  readonly flags: number;
  readonly prevEventIds: readonly EventId[];
}

/** Events that are not shown and follow each other are looked through this far for the extremities that they hide. */
export const maxHiddenEvents = 100;

/**
 * The events that an event takes the place of: those that it follows, also by way of events that are not shown.
 * @param followed `undefined` for an event that has no place in the graph, or none that matters
 */
export async function coveredEvents(
  prevEventIds: readonly EventId[],
  followed: (eventId: EventId) => Promise<Followed | undefined> | Followed | undefined,
): Promise<ReadonlySet<number>> {
  const covered = new Set<number>();
  const pending = [...prevEventIds];
  for (let id = pending.pop(); id !== undefined && covered.size < maxHiddenEvents; id = pending.pop()) {
    const prev = await followed(id);
    if (!prev || covered.has(prev.eventNid)) continue;
    covered.add(prev.eventNid);
    if (!isShown(prev.flags)) pending.push(...prev.prevEventIds);
  }
  return covered;
}

/** Whether an event has neither failed a check nor is without its place. */
export function isShown(flags: number): boolean {
  return (flags & ~(eventFlags.relayed | eventFlags.handedOver)) === 0;
}
