import type { RoomEventJson } from "./observer.ts";
import type { Write } from "./write-storm.ts";

/** What is wrong with a room's history when these writes have been asked for, some of which were answered. */
export function faultsOf(history: readonly RoomEventJson[], writes: readonly Write[]): string[] {
  const faults: string[] = [];
  const places = new Map<string, number[]>();
  for (const [place, event] of history.entries()) {
    for (const key of [event.event_id, markOf(event)]) {
      if (key !== undefined) places.set(key, [...(places.get(key) ?? []), place]);
    }
  }
  for (const [key, { length }] of places) if (length > 1) faults.push(`${key} is there ${length} times`);
  for (const { answeredAt, eventId, mark } of writes) {
    if (answeredAt === undefined) continue;
    if (!places.has(mark)) faults.push(`${mark} was acknowledged and is not there`);
    if (eventId !== undefined && places.get(eventId)?.[0] !== places.get(mark)?.[0]) {
      faults.push(`${mark} was acknowledged as ${eventId} and is another event`);
    }
  }
  return [...faults, ...disorder(history, writes)];
}

/** Writes that are in the history after others, although they were acknowledged before those were sent. */
function disorder(history: readonly RoomEventJson[], writes: readonly Write[]): string[] {
  const byMark = new Map(writes.map((write) => [write.mark, write]));
  const faults: string[] = [];
  let latest: Write | undefined;
  for (const event of history) {
    const write = byMark.get(markOf(event) ?? "");
    if (!write) continue;
    if (latest && write.answeredAt !== undefined && write.answeredAt < latest.sentAt) {
      faults.push(`${write.mark} comes after ${latest.mark}`);
    }
    if (!latest || write.sentAt > latest.sentAt) latest = write;
  }
  return faults;
}

/** What says which write an event comes from. */
function markOf({ type, content, state_key: stateKey }: RoomEventJson): string | undefined {
  if (type === "m.room.member") return typeof stateKey === "string" ? stateKey : undefined;
  const { mark } = content as { mark?: string };
  return mark;
}
