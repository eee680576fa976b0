import type { RoomEvent } from "../../protocol/pdu.ts";
import type { Pace } from "../../telemetry/pace.ts";

interface Ordered {
  readonly event: Pick<RoomEvent, "eventId" | "authEventIds" | "type">;
}

/**
 * Events in an order in which each comes after those of its `auth_events` that are among them. Events that rest on each
 * other in a circle cannot be honest, since an event's ID is made of what it rests on: they are left out.
 * @param pace by which large numbers of events take turns with other work
 */
export async function inAuthOrder<Item extends Ordered>(
  events: readonly Item[],
  pace: Pace,
): Promise<Item[]> {
  const byId = new Map(events.map((received) => [received.event.eventId, received]));
  const waitsFor = new Map<string, number>();
  const followers = new Map<string, Item[]>();
  const ready: Item[] = [];
  for (const received of byId.values()) {
    const among = new Set(received.event.authEventIds.filter((id) => byId.has(id)));
    if (among.size === 0) ready.push(received);
    waitsFor.set(received.event.eventId, among.size);
    for (const id of among) {
      const known = followers.get(id);
      if (known) known.push(received);
      else followers.set(id, [received]);
    }
    await pace.breathe();
  }
  // Since room version 12 all events rest on the create event without naming it.
  ready.sort((a, b) => Number(isCreate(b)) - Number(isCreate(a)));
  // The list grows while it is gone through.
  for (let index = 0; index < ready.length; index++) {
    const { eventId } = ready[index]?.event ?? {};
    for (const follower of followers.get(eventId ?? "") ?? []) {
      const left = (waitsFor.get(follower.event.eventId) ?? 0) - 1;
      waitsFor.set(follower.event.eventId, left);
      if (left === 0) ready.push(follower);
    }
    await pace.breathe();
  }
  return ready;
}

function isCreate({ event }: Ordered): boolean {
  return event.type === "m.room.create";
}
