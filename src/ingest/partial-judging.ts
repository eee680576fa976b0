import { type ServerName, serverNameOf, type UserId } from "../protocol/identifiers.ts";
import type { RoomEvent } from "../protocol/pdu.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { StateLookup } from "./authorisation.ts";
import type { AuthEvent } from "./event-basics.ts";
import { redactEventsKey } from "./redactions.ts";

/**
 * Whether an event of another server can be judged before all members of its room are known: whatever it does has to be
 * undone when it turns out to be forbidden. What a redaction takes away does not come back, and a room that the users of
 * this server have been made to leave is not judged anew.
 */
export function canBeJudgedEarly(event: RoomEvent, ownName: ServerName): boolean {
  if (event.redacts !== undefined || event.type === "m.room.redaction") return false;
  if (event.type !== "m.room.member") return true;
  if (event.content[redactEventsKey] === true) return false;
  return serverNameOf(event.stateKey as UserId) !== ownName;
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
