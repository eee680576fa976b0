import { hash } from "node:crypto";
import { decodeBase64, encodeBase64, stripPadding } from "./base64.ts";
import { EncodedEvent } from "./event-encoding.ts";
import type { EventLike } from "./event-encoding.ts";
import type { EventId, RoomId } from "./identifiers.ts";
import { isJsonObject } from "./json.ts";
import type { Pdu } from "./pdu.ts";
import type { RoomVersion } from "./room-versions.ts";

/**
 * The content hash of an event as unpadded Base64 (server-server API, "Calculating the content hash for an event").
 * @param encoded the event's encoding, when the caller has it
 * @throws CanonicalJsonError for an event that has no canonical JSON in its room version
 */
export function contentHash(
  version: RoomVersion,
  event: EventLike,
  encoded: EncodedEvent = new EncodedEvent(version, event),
): string {
  return sha256(encoded.contentHashText());
}

/**
 * Whether an event's `hashes` hold the hash of its content. If not, the event is to be redacted before it is used
 * (server-server API, "Validating hashes and signatures on received events").
 * @param encoded the event's encoding, when the caller has it
 * @throws CanonicalJsonError for an event that has no canonical JSON in its room version
 */
export function hasValidContentHash(version: RoomVersion, event: EventLike, encoded?: EncodedEvent): boolean {
  const hashes = event["hashes"];
  const claimed = isJsonObject(hashes) ? hashes["sha256"] : undefined;
  if (typeof claimed !== "string") return false;
  const expected = contentHash(version, event, encoded);
  if (claimed === expected) return true;
  // The same bytes may be written with padding or in the other alphabet.
  const bytes = decodeBase64(claimed);
  return bytes !== undefined && encodeBase64(bytes) === expected;
}

/**
 * The reference hash of an event as unpadded Base64 (server-server API, "Calculating the reference hash for an event").
 * @param encoded the event's encoding, when the caller has it
 * @throws CanonicalJsonError for an event that has no canonical JSON in its room version
 */
export function referenceHash(
  version: RoomVersion,
  event: EventLike,
  encoded: EncodedEvent = new EncodedEvent(version, event),
): string {
  return sha256(encoded.signedBytes());
}

/**
 * The ID of an event: its own `event_id` in room versions 1 and 2, its reference hash from version 3 on
 * (room versions, "Event IDs").
 * @param pdu of a checked format
 * @param encoded the event's encoding, when the caller has it
 * @throws CanonicalJsonError for an event that has no canonical JSON in its room version
 */
export function eventId(version: RoomVersion, pdu: Pdu, encoded?: EncodedEvent): EventId {
  if (version.eventIdFormat === "named") return (pdu.event_id ?? "") as EventId;
  const bytes = (encoded ?? new EncodedEvent(version, pdu)).signedBytes();
  const digest = version.eventIdFormat === "hash" ? sha256(bytes) : hash("sha256", bytes, "base64url");
  return `$${digest}` as EventId;
}

/**
 * The room of an event. In room version 12 the create event has no `room_id`: its own ID, with `!` for `$`, is the
 * room's (room version 12, authorisation rule 1.2).
 * @param pdu of a checked format
 */
export function roomIdOf(version: RoomVersion, pdu: Pdu, id: EventId): RoomId {
  if (version.roomIdIsCreateHash && pdu.type === "m.room.create") return roomIdOfCreateEvent(id);
  return (pdu.room_id ?? "") as RoomId;
}

/** The room ID that a create event's ID makes (room version 12). */
export function roomIdOfCreateEvent(id: EventId): RoomId {
  return `!${id.slice(1)}` as RoomId;
}

/** The create event's ID that a room ID holds (room version 12). */
export function createEventIdOfRoom(id: RoomId): EventId {
  return `$${id.slice(1)}` as EventId;
}

/** SHA-256 as unpadded Base64. */
function sha256(data: string | Uint8Array): string {
  return stripPadding(hash("sha256", data, "base64"));
}
