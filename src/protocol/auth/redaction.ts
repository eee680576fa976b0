import { serverNameOf } from "../identifiers.ts";
import type { RoomEvent } from "../pdu.ts";
import type { RoomVersion } from "../room-versions.ts";
import type { PowerLevels } from "./power-levels.ts";

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
