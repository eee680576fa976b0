import type { SigningKey } from "./ed25519.ts";
import { EncodedEvent } from "./event-encoding.ts";
import { PduFormatError } from "./errors.ts";
import { assertFitsKeyLimits, assertFitsPduLimit } from "./event-format.ts";
import { contentHash, eventId, referenceHash } from "./event-hash.ts";
import type { EventId, RoomId, ServerName, UserId } from "./identifiers.ts";
import type { JsonObject } from "./json.ts";
import { ownedStateKeyFault } from "./owned-state.ts";
import type { HashedEventReference, Pdu, RoomEvent } from "./pdu.ts";
import { toRoomEvent } from "./room-event.ts";
import type { RoomVersion } from "./room-versions.ts";
import { stickyKey } from "./sticky.ts";

/** What a new event says; its hash, signature and ID are made from this. */
export interface EventTemplate {
  /** Absent for the create event of a room whose ID is that event's hash (room version 12). */
  readonly roomId?: RoomId;
  readonly type: string;
  readonly stateKey?: string | undefined;
  readonly sender: UserId;
  readonly content: JsonObject;
  /** The event that this one redacts; it is put where the room version wants it. */
  readonly redacts?: EventId | undefined;
  readonly depth: number;
  /** As the room version writes references; see {@link eventReferences}. */
  readonly prevEvents: Pdu["prev_events"];
  readonly authEvents: Pdu["auth_events"];
  /** Milliseconds since the epoch. */
  readonly originServerTs: number;
  /** For a sticky event (MSC4354). */
  readonly stickyDurationMs?: number | undefined;
  /** Needed in room versions 1 and 2 and used there only. */
  readonly eventId?: EventId | undefined;
}

/** A new event, and the canonical JSON in which it is stored and sent. */
export interface BuiltEvent {
  readonly event: RoomEvent;
  readonly encoded: EncodedEvent;
  readonly canonicalJson: string;
}

/**
 * Builds, hashes and signs a new event of this server (server-server API, "Adding hashes and signatures to outgoing events").
 * The template's content, `prevEvents` and `authEvents` become the event's own and must not be changed afterwards.
 * @throws CanonicalJsonError if the content has no canonical JSON in the room version
 * @throws PduFormatError if the event is larger than any may be, has a state key that the room version has no meaning for,
 *   or lacks an ID in room versions 1 and 2
 */
export function buildEvent(
  version: RoomVersion,
  template: EventTemplate,
  serverName: ServerName,
  key: SigningKey,
): BuiltEvent {
  const pdu = unsignedPdu(version, template);
  assertFitsKeyLimits(version, pdu);
  if (version.ownedState) assertOwnedStateKey(pdu.state_key ?? "");
  const encoded = new EncodedEvent(version, pdu);
  pdu.hashes = { sha256: contentHash(version, pdu, encoded) };
  encoded.update("hashes");
  const id = eventId(version, pdu, encoded);
  pdu.signatures = { [serverName]: { [key.keyId]: key.sign(encoded.signedBytes()) } };
  encoded.update("signatures");
  const canonicalJson = encoded.text();
  assertFitsPduLimit(canonicalJson);
  return { event: toRoomEvent(version, pdu, id), encoded, canonicalJson };
}

/**
 * Puts another server's signature on an event, beside those that it has.
 * @throws PduFormatError if that makes it larger than any event may be
 */
export function addSignature(
  { event: { pdu }, encoded }: Pick<BuiltEvent, "event" | "encoded">,
  serverName: ServerName,
  keyId: string,
  signature: string,
): void {
  pdu.signatures = { ...pdu.signatures, [serverName]: { ...pdu.signatures[serverName], [keyId]: signature } };
  encoded.update("signatures");
  assertFitsPduLimit(encoded.text());
}

/** References to events as `prev_events` and `auth_events` hold them: IDs, in room versions 1 and 2 with hashes. */
export function eventReferences(version: RoomVersion, events: readonly RoomEvent[]): Pdu["prev_events"] {
  if (version.eventIdFormat !== "named") return events.map((event) => event.eventId);
  return events.map(
    (event): HashedEventReference => [event.eventId, { sha256: referenceHash(version, event.pdu) }],
  );
}

/**
 * What another server gets to make an event of (server-server API, "Joining Rooms"): neither hashed nor signed, and
 * without an ID in the room versions that choose one.
 */
export function eventTemplateJson(version: RoomVersion, template: EventTemplate): JsonObject {
  const { hashes: _hashes, signatures: _signatures, event_id: _id, ...pdu } = unsignedPdu(version, template);
  return pdu as JsonObject;
}

/** The keys stand in canonical order, so that they need no sorting. */
function unsignedPdu(version: RoomVersion, template: EventTemplate): Pdu {
  const { roomId, stateKey, redacts, stickyDurationMs } = template;
  const redactsInContent = redacts !== undefined && version.redactsInContent;
  return {
    auth_events: template.authEvents,
    content: redactsInContent ? { ...template.content, redacts } : template.content,
    depth: template.depth,
    ...(version.eventIdFormat === "named" ? { event_id: chosenEventId(template) } : undefined),
    hashes: { sha256: "" },
    ...(stickyDurationMs === undefined ? undefined : { [stickyKey]: { duration_ms: stickyDurationMs } }),
    origin_server_ts: template.originServerTs,
    prev_events: template.prevEvents,
    ...(redacts === undefined || redactsInContent ? undefined : { redacts }),
    ...(roomId === undefined ? undefined : { room_id: roomId }),
    sender: template.sender,
    signatures: {},
    ...(stateKey === undefined ? undefined : { state_key: stateKey }),
    type: template.type,
  };
}

function assertOwnedStateKey(stateKey: string): void {
  const fault = ownedStateKeyFault(stateKey);
  if (fault !== undefined) throw new PduFormatError("invalid-identifier", fault);
}

function chosenEventId(template: EventTemplate): EventId {
  if (template.eventId !== undefined) return template.eventId;
  throw new PduFormatError("missing-key", "In room versions 1 and 2 the server chooses the event's ID.");
}
