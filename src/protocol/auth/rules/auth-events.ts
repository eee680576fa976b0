import type { RoomEvent } from "../../pdu.ts";
import type { RoomVersion } from "../../room-versions.ts";
import { authEventTypesFor, type StatePair } from "../auth-event-types.ts";
import { type AuthRejection, reject } from "../rejection.ts";

/** An event that another one refers to, and what became of it. */
export interface ReferencedEvent {
  readonly event: RoomEvent;
  /** Whether it failed the checks performed on receipt of a PDU. */
  readonly rejected: boolean;
}

/** 3. Considering the event's auth_events. */
export function authoriseAuthEvents(
  version: RoomVersion,
  event: RoomEvent,
  authEvents: readonly ReferencedEvent[],
): AuthRejection | undefined {
  const selection = authEventTypesFor(version, event);
  const seen = new Set<StatePair>();
  let hasCreate = false;

  for (const { event: authEvent, rejected } of authEvents) {
    const pair = selection.find(([type, key]) => type === authEvent.type && key === authEvent.stateKey);
    // 3.1. If there are duplicate entries for a given type and state_key pair, reject.
    if (pair !== undefined && seen.has(pair)) {
      return reject(
        version,
        "auth_events.duplicate",
        `auth_events has two events of type ${authEvent.type}.`,
      );
    }
    // 3.2. If there are entries whose type and state_key don't match those specified by the auth events selection
    // algorithm, reject.
    if (pair === undefined) {
      return reject(
        version,
        "auth_events.unselected",
        `auth_events has an event of type ${authEvent.type} that does not bear on ${event.type}.`,
      );
    }
    // 3.3. If there are entries which were themselves rejected, reject.
    if (rejected) {
      return reject(version, "auth_events.rejected", `The auth event ${authEvent.eventId} was rejected.`);
    }
    // 3.4. If any event in auth_events has a room_id which does not match that of the event being authorised, reject.
    if (authEvent.roomId !== event.roomId) {
      return reject(version, "auth_events.room", `The auth event ${authEvent.eventId} is in another room.`);
    }
    seen.add(pair);
    hasCreate ||= authEvent.type === "m.room.create";
  }

  // Until room version 11, 2.4: If there is no m.room.create event among the entries, reject.
  if (!version.roomIdIsCreateHash && !hasCreate) {
    return reject(version, "auth_events.create", "auth_events lacks the room's m.room.create event.");
  }
  return undefined;
}
