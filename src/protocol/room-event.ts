import { plainNumber, withPlainNumbers } from "./exact-number.ts";
import { eventId, roomIdOf } from "./event-hash.ts";
import type { EventId, RoomId, UserId } from "./identifiers.ts";
import type { JsonObject } from "./json.ts";
import type { HashedEventReference, Pdu, RoomEvent } from "./pdu.ts";
import type { RoomVersion } from "./room-versions.ts";

/**
 * The uniform view of a PDU that the rest of the core works on.
 * @param pdu of a checked format
 * @param id the event's ID if it is known; otherwise it is computed when it is first asked for
 */
export function toRoomEvent(version: RoomVersion, pdu: Pdu, id?: EventId): RoomEvent {
  return new PduEvent(version, pdu, id);
}

class PduEvent implements RoomEvent {
  readonly pdu: Pdu;
  readonly type: string;
  readonly sender: UserId;
  readonly stateKey: string | undefined;
  readonly content: JsonObject;
  readonly originServerTs: number;
  readonly depth: number;
  readonly prevEventIds: readonly EventId[];
  readonly authEventIds: readonly EventId[];
  readonly redacts: string | undefined;
  readonly #version: RoomVersion;
  #eventId: EventId | undefined;

  constructor(version: RoomVersion, pdu: Pdu, id: EventId | undefined) {
    this.pdu = pdu;
    this.type = pdu.type;
    this.sender = pdu.sender as UserId;
    this.stateKey = pdu.state_key;
    this.content = version.strictCanonicalJson ? pdu.content : withPlainNumbers(pdu.content);
    this.originServerTs = plainNumber(pdu.origin_server_ts);
    this.depth = plainNumber(pdu.depth);
    this.prevEventIds = referencedIds(pdu.prev_events);
    this.authEventIds = referencedIds(pdu.auth_events);
    this.redacts = redactedEventId(version, pdu);
    this.#version = version;
    this.#eventId = id;
  }

  get eventId(): EventId {
    this.#eventId ??= eventId(this.#version, this.pdu);
    return this.#eventId;
  }

  get roomId(): RoomId {
    return roomIdOf(this.#version, this.pdu, this.eventId);
  }
}

function referencedIds(references: readonly (string | HashedEventReference)[]): EventId[] {
  return references.map((reference) => (typeof reference === "string" ? reference : reference[0]) as EventId);
}

function redactedEventId(version: RoomVersion, pdu: Pdu): string | undefined {
  if (pdu.type !== "m.room.redaction") return undefined;
  const redacts = version.redactsInContent ? pdu.content["redacts"] : pdu.redacts;
  return typeof redacts === "string" ? redacts : undefined;
}
