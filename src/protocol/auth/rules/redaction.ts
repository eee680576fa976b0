import { domainOf, type EventId, serverNameOf } from "../../identifiers.ts";
import type { RoomEvent } from "../../pdu.ts";
import type { RoomVersion } from "../../room-versions.ts";
import type { AuthCheck } from "../auth-check.ts";
import type { PowerLevels } from "../power-levels.ts";
import { type AuthRejection, reject } from "../rejection.ts";

/** In room versions 1 and 2, 11: If type is m.room.redaction. */
export function authoriseRedaction(check: AuthCheck): AuthRejection | undefined {
  const { version, event, levels } = check;
  // 11.1. If the sender's power level is greater than or equal to the redact level, allow.
  if (levels.userLevel(event.sender) >= levels.redact) return undefined;
  // 11.2. If the domain of the event_id of the event being redacted is the same as the domain of the event_id of the
  // m.room.redaction, allow.
  const domain = domainOf(event.eventId);
  if (domain !== undefined && event.redacts !== undefined) {
    if (domainOf(event.redacts as EventId) === domain) return undefined;
  }
  // 11.3. Otherwise, reject.
  return reject(
    version,
    "redaction.otherwise",
    `Redacting the events of another server takes power level ${levels.redact} in this room.`,
  );
}

/**
 * Whether a redaction that the room has accepted takes effect on its target (room versions 3 and later, "Handling
 * redactions"). In the versions whose authorisation rules judge redactions there is nothing left to ask.
 *
 * @param levels the power levels before the redaction
 */
export function mayRedact(
  version: RoomVersion,
  redaction: RoomEvent,
  target: RoomEvent,
  levels: PowerLevels,
): boolean {
  if (redaction.roomId !== target.roomId) return false;
  if (version.redactionInAuthRules) return true;
  // 1. The power level of the redaction event's sender is greater than or equal to the redact level.
  if (levels.userLevel(redaction.sender) >= levels.redact) return true;
  // 2. The domain of the redaction event's sender matches that of the original event's sender.
  return serverNameOf(redaction.sender) === serverNameOf(target.sender);
}
