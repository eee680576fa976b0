import type { RoomEvent } from "../protocol/pdu.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { StateLookup } from "./authorisation.ts";
import type { AuthEvent } from "./event-basics.ts";

/**
 * Whether an event of another server has to wait until all members of its room are known, though nothing that is known speaks
 * against it: whatever it does would have to be undone if it turned out to be forbidden, and what a redaction takes away
 * does not come back.
 */
export function cannotBeUndone({ type, redacts }: RoomEvent): boolean {
  return redacts !== undefined || type === "m.room.redaction";
}

/**
 * A state some of whose members may be missing: those among the events that the judged one rests on stand in for them
 * (MSC3902, "Receiving events").
 */
export async function withMembersAmong(
  names: Pick<NameCache, "findStatePair">,
  authEvents: readonly AuthEvent[],
  lookup: StateLookup,
): Promise<StateLookup> {
  const members = new Map<number, number>();
  for (const { event, eventNid } of authEvents) {
    if (event.type !== "m.room.member" || event.stateKey === undefined) continue;
    const pairNid = await names.findStatePair(event.type, event.stateKey);
    if (pairNid !== undefined) members.set(pairNid, eventNid);
  }
  return async (pairNid) => (await lookup(pairNid)) ?? members.get(pairNid);
}
