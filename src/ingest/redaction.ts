import { mayRedact } from "../protocol/auth/redaction.ts";
import { powerLevelsOf } from "../protocol/auth/power-levels.ts";
import { EncodedEvent } from "../protocol/event-encoding.ts";
import type { RoomEvent } from "../protocol/pdu.ts";
import { redact } from "../protocol/redaction.ts";
import type { RoomVersion } from "../protocol/room-versions.ts";
import { isCommonKey, isFederationKey } from "../state/event-text.ts";
import type { AppliedRedaction } from "../storage/commits.ts";

/** Whether a redaction takes effect on an event of its room, judged by the state before the redaction. */
export function takesEffect(
  version: RoomVersion,
  redaction: RoomEvent,
  target: RoomEvent,
  create: RoomEvent,
  powerLevels: RoomEvent | undefined,
): boolean {
  return mayRedact(version, redaction, target, powerLevelsOf(version, create, powerLevels));
}

/** What is stored of an event once it is redacted. */
export function redactedText(version: RoomVersion, targetNid: number, target: RoomEvent): AppliedRedaction {
  const encoded = new EncodedEvent(version, redact(version, target.pdu));
  return {
    targetNid,
    common: encoded.members(isCommonKey),
    federation: encoded.members(isFederationKey),
  };
}
