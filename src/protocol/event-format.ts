import { CanonicalJsonError, PduFormatError } from "./errors.ts";
import { EncodedEvent } from "./event-encoding.ts";
import type { EventLike } from "./event-encoding.ts";
import { isExactNumber } from "./exact-number.ts";
import {
  domainOf,
  fitsIdentifierLimit,
  isEventId,
  isHashRoomId,
  isRoomId,
  isUserId,
  maxIdentifierBytes,
} from "./identifiers.ts";
import { isJsonObject } from "./json.ts";
import { maxOwnedStateKeyBytes } from "./owned-state.ts";
import type { Pdu } from "./pdu.ts";
import type { RoomVersion } from "./room-versions.ts";

/** An event is at most this large in canonical JSON (client-server API, "Size limits"). */
export const maxPduBytes = 65_536;
/** Room versions, "Event format". */
export const maxPrevEvents = 20;
/** Room versions, "Event format". */
export const maxAuthEvents = 10;

/** A PDU whose format is right, and its canonical JSON, from which its hashes are made without encoding it again. */
export interface CheckedPdu {
  readonly pdu: Pdu;
  readonly encoded: EncodedEvent;
}

/** How many events a PDU may refer to. */
export interface ReferenceLimits {
  readonly prevEvents: number;
  readonly authEvents: number;
}

const referenceLimits: ReferenceLimits = { prevEvents: maxPrevEvents, authEvents: maxAuthEvents };

/**
 * Checks that an untrusted object is a PDU of a room version (server-server API, "Checks performed on receipt of a PDU", 1).
 * The object is looked at and not changed or copied.
 * @param limits those of new events, unless said otherwise
 * @throws PduFormatError
 */
export function checkPdu(version: RoomVersion, value: unknown, limits = referenceLimits): CheckedPdu {
  if (!isJsonObject(value)) throw new PduFormatError("wrong-type", "An event must be an object.");
  assertPdu(version, value, limits);
  const encoded = encode(version, value);
  assertFitsPduLimit(encoded.text());
  return { pdu: value, encoded };
}

/**
 * @param text an event's canonical JSON without `unsigned`: servers differ in what they put there, but must not differ in
 *   which events they accept
 * @throws PduFormatError if an event is larger than any may be
 */
export function assertFitsPduLimit(text: string): void {
  // A UTF-16 unit is at most three bytes of UTF-8, so that most events need no counting.
  if (text.length * 3 <= maxPduBytes) return;
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes <= maxPduBytes) return;
  throw new PduFormatError(
    "too-large",
    `The event has ${sizeBytes} bytes; at most ${maxPduBytes} are allowed.`,
  );
}

/**
 * Checks the members of which the size is limited (client-server API, "Size limits").
 * @throws PduFormatError
 */
export function assertFitsKeyLimits(
  version: RoomVersion,
  event: { readonly type: string; readonly state_key?: string | undefined },
): void {
  const fault = longKeyFault(version, event.type, event.state_key);
  if (fault !== undefined) throw new PduFormatError("too-large", fault);
}

/** Says which key is longer than it may be, if one is (client-server API, "Size limits"). */
export function longKeyFault(version: RoomVersion, type: string, stateKey = ""): string | undefined {
  if (!fitsIdentifierLimit(type)) return `\`type\` is longer than ${maxIdentifierBytes} bytes.`;
  const maxBytes = version.ownedState ? maxOwnedStateKeyBytes : maxIdentifierBytes;
  if (fitsIdentifierLimit(stateKey) || Buffer.byteLength(stateKey) <= maxBytes) return undefined;
  return `\`state_key\` is longer than ${maxBytes} bytes.`;
}

const fewCodePoints = /^.{0,255}$/su;

/** Whether an event may be in the graph of a room though a key of its is too long. */
function isKeptForGraph(version: RoomVersion, type: string, stateKey = ""): boolean {
  return version.longKeysInGraph && fewCodePoints.test(type) && fewCodePoints.test(stateKey);
}

function encode(version: RoomVersion, event: EventLike): EncodedEvent {
  try {
    return new EncodedEvent(version, event);
  } catch (error) {
    if (!(error instanceof CanonicalJsonError)) throw error;
    throw new PduFormatError("not-canonical", error.message, { cause: error });
  }
}

function assertPdu(version: RoomVersion, event: EventLike, limits: ReferenceLimits): asserts event is Pdu {
  const type = requireString(event, "type");
  const stateKey = event["state_key"];
  if (stateKey !== undefined && typeof stateKey !== "string") throw wrongType("state_key", "a string");
  const fault = longKeyFault(version, type, stateKey);
  if (fault !== undefined && !isKeptForGraph(version, type, stateKey))
    throw new PduFormatError("too-large", fault);
  requireIdentifier(event, "sender", "a user ID", isUserId);
  assertIds(version, event, type);
  if (!isJsonObject(event["content"])) throw wrongType("content", "an object");
  assertInteger(version, event, "origin_server_ts", -maxInteger(version));
  assertInteger(version, event, "depth", 0n);
  assertReferences(version, event, "prev_events", limits.prevEvents);
  assertReferences(version, event, "auth_events", limits.authEvents);
  assertHashes(event["hashes"]);
  assertSignatures(event["signatures"]);
  const redacts = event["redacts"];
  if (redacts !== undefined && !version.redactsInContent && typeof redacts !== "string") {
    throw wrongType("redacts", "a string");
  }
  if (event["unsigned"] !== undefined && !isJsonObject(event["unsigned"]))
    throw wrongType("unsigned", "an object");
}

function assertIds(version: RoomVersion, event: EventLike, type: string): void {
  // Room versions 1 and 2, "Event IDs": `$opaque_id:domain`.
  if (version.eventIdFormat === "named") {
    requireIdentifier(
      event,
      "event_id",
      "an event ID with a domain",
      (id) => isEventId(id) && domainOf(id) !== undefined,
    );
  }
  if (!version.roomIdIsCreateHash) {
    requireIdentifier(
      event,
      "room_id",
      "a room ID with a domain",
      (id) => isRoomId(id) && domainOf(id) !== undefined,
    );
    return;
  }
  // Room version 12, "Event format": the create event has no `room_id`, since its hash is the room's ID.
  if (type !== "m.room.create") {
    requireIdentifier(event, "room_id", "the hash of a create event", isHashRoomId);
  } else if (event["room_id"] !== undefined) {
    throw new PduFormatError(
      "forbidden-key",
      "`m.room.create` must not have a `room_id` in this room version.",
    );
  }
}

function requireString(event: EventLike, key: string): string {
  const value = event[key];
  if (typeof value === "string") return value;
  if (value === undefined) throw new PduFormatError("missing-key", `\`${key}\` is missing.`);
  throw wrongType(key, "a string");
}

function requireIdentifier(
  event: EventLike,
  key: string,
  description: string,
  isValid: (text: string) => boolean,
): void {
  if (isValid(requireString(event, key))) return;
  throw new PduFormatError("invalid-identifier", `\`${key}\` must be ${description}.`);
}

function assertInteger(version: RoomVersion, event: EventLike, key: string, lowest: bigint): void {
  const value = event[key];
  if (value === undefined) throw new PduFormatError("missing-key", `\`${key}\` is missing.`);
  const integer = integerOf(value);
  if (integer === undefined) throw wrongType(key, "an integer");
  if (integer >= lowest && integer <= maxInteger(version)) return;
  throw new PduFormatError("out-of-range", `\`${key}\` must be from ${lowest} to ${maxInteger(version)}.`);
}

const maxInteger53 = 2n ** 53n - 1n;
const maxInteger63 = 2n ** 63n - 1n;

/** Room version 6, "Event format": canonical JSON lowered the limits of integers from 2^63 - 1 to 2^53 - 1. */
function maxInteger(version: RoomVersion): bigint {
  return version.strictCanonicalJson ? maxInteger53 : maxInteger63;
}

function integerOf(value: unknown): number | bigint | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : undefined;
  return isExactNumber(value) && /^-?[0-9]{1,19}$/.test(value.rawJSON) ? BigInt(value.rawJSON) : undefined;
}

function assertReferences(version: RoomVersion, event: EventLike, key: string, limit: number): void {
  const references = event[key];
  if (!Array.isArray(references)) throw wrongType(key, "an array");
  if (references.length > limit) {
    throw new PduFormatError(
      "too-large",
      `\`${key}\` has ${references.length} entries; at most ${limit} are allowed.`,
    );
  }
  const isReference = version.eventIdFormat === "named" ? isHashedReference : isIdReference;
  if (!references.every(isReference)) {
    throw new PduFormatError(
      "invalid-identifier",
      `\`${key}\` must hold references to events of this room version.`,
    );
  }
}

function isIdReference(reference: unknown): boolean {
  return typeof reference === "string" && isEventId(reference);
}

/** Room versions 1 and 2, "Event format": `[event ID, { sha256: reference hash }]`. */
function isHashedReference(reference: unknown): boolean {
  return (
    Array.isArray(reference) &&
    reference.length === 2 &&
    isIdReference(reference[0]) &&
    isJsonObject(reference[1])
  );
}

function assertHashes(hashes: unknown): void {
  if (!isJsonObject(hashes)) throw wrongType("hashes", "an object");
  if (typeof hashes["sha256"] !== "string") throw wrongType("hashes.sha256", "a string");
}

function assertSignatures(signatures: unknown): void {
  const isRight =
    isJsonObject(signatures) &&
    Object.values(signatures).every(
      (own) => isJsonObject(own) && Object.values(own).every((signature) => typeof signature === "string"),
    );
  if (!isRight) throw wrongType("signatures", "an object of objects of strings");
}

function wrongType(key: string, description: string): PduFormatError {
  return new PduFormatError("wrong-type", `\`${key}\` must be ${description}.`);
}
