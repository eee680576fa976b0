import type { ReceivedEvent } from "../../ingest/received-event.ts";
import type { EventId } from "../../protocol/identifiers.ts";

/**
 * Those events of an answer that were asked for, each after those of the answer that it follows: the events themselves,
 * and what lies before them. Whatever else a server sends along, nobody has asked for it.
 * @param asked the newest of the events that were asked for
 */
export function requestedEvents(
  asked: readonly EventId[],
  answer: readonly ReceivedEvent[],
): ReceivedEvent[] {
  const byId = new Map(answer.map((received) => [received.event.eventId, received]));
  const reached = new Map<EventId, ReceivedEvent>();
  const pending = [...asked];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    const received = byId.get(id);
    if (!received || reached.has(id)) continue;
    reached.set(id, received);
    pending.push(...received.event.prevEventIds);
  }
  return inGraphOrder(reached);
}

/** Events that follow each other in a circle, which can be said in the oldest room versions only, are left out. */
function inGraphOrder(events: ReadonlyMap<EventId, ReceivedEvent>): ReceivedEvent[] {
  const waitsFor = new Map<EventId, number>();
  const followers = new Map<EventId, ReceivedEvent[]>();
  const ready: ReceivedEvent[] = [];
  for (const [eventId, received] of events) {
    const among = new Set(received.event.prevEventIds.filter((id) => events.has(id)));
    waitsFor.set(eventId, among.size);
    if (among.size === 0) ready.push(received);
    for (const id of among) followers.set(id, [...(followers.get(id) ?? []), received]);
  }
  const ordered: ReceivedEvent[] = [];
  while (ready.length > 0) {
    // Events side by side come in the order of their depth: what a server says about it moves them no further.
    ready.sort((a, b) => b.event.depth - a.event.depth);
    const next = ready.pop();
    if (!next) break;
    ordered.push(next);
    for (const follower of followers.get(next.event.eventId) ?? []) {
      const left = (waitsFor.get(follower.event.eventId) ?? 0) - 1;
      waitsFor.set(follower.event.eventId, left);
      if (left === 0) ready.push(follower);
    }
  }
  return ordered;
}
