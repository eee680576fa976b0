import type { ReceivedEvent } from "../../ingest/received-event.ts";
import { checkPdu } from "../../protocol/event-format.ts";
import type { EventId } from "../../protocol/identifiers.ts";
import { toRoomEvent } from "../../protocol/room-event.ts";
import type { RoomVersion } from "../../protocol/room-versions.ts";
import { parseStrictJson } from "../../protocol/strict-json.ts";

/** An event that has been checked when it came, and was kept as text since. */
export function checkedEventOf(version: RoomVersion, text: string, eventId: EventId): ReceivedEvent {
  const { pdu, encoded } = checkPdu(version, parseStrictJson(text));
  return { event: toRoomEvent(version, pdu, eventId), encoded };
}
