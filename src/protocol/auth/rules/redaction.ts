import { domainOf, type EventId } from "../../identifiers.ts";
import type { AuthCheck } from "../auth-check.ts";
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
