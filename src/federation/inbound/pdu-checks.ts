import type { CheckedPdu, ReferenceLimits } from "../../protocol/event-format.ts";
import { checkPdu } from "../../protocol/event-format.ts";
import { EncodedEvent } from "../../protocol/event-encoding.ts";
import { hasValidContentHash } from "../../protocol/event-hash.ts";
import { requiredSigners } from "../../protocol/event-signing.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { plainNumber } from "../../protocol/exact-number.ts";
import type { RoomId, ServerName } from "../../protocol/identifiers.ts";
import { signaturesBy, signingKeyIds } from "../../protocol/json-signing.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { redact } from "../../protocol/redaction.ts";
import { toRoomEvent } from "../../protocol/room-event.ts";
import type { RoomVersion } from "../../protocol/room-versions.ts";
import type { ReceivedEvent } from "../../ingest/received-event.ts";
import type { Room } from "../../state/room-index.ts";
import type { Keyring } from "../keys/keyring.ts";
import type { Signatures } from "./signatures.ts";

/** An event that is not to be looked at any further: it is no event, or not from whom it claims to be. */
export class RefusedPduError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "RefusedPduError";
  }
}

/** Signatures of one server under one event beyond these are not looked at. */
const maxKeysOfServer = 4;

/** Checks what can be told of an event by itself (server-server API, "Checks performed on receipt of a PDU", 1 to 3). */
export class PduChecks {
  readonly #keyring: Pick<Keyring, "keysOf">;

  readonly #signatures: Pick<Signatures, "verify">;

  constructor(keyring: Pick<Keyring, "keysOf">, signatures: Pick<Signatures, "verify">) {
    this.#keyring = keyring;
    this.#signatures = signatures;
  }

  /**
   * @param roomId the room that the event has to be in, where that is known
   * @param limits of what it refers to, where they are not those of new events
   * @throws RefusedPduError
   */
  async check(
    version: RoomVersion,
    value: unknown,
    roomId?: RoomId,
    limits?: ReferenceLimits,
  ): Promise<ReceivedEvent> {
    // 1. Is a valid event, otherwise it is dropped.
    const checked = dropping(() => checkPdu(version, value, limits));
    if (roomId !== undefined && toRoomEvent(version, checked.pdu).roomId !== roomId) {
      throw new RefusedPduError(`The event is not of room ${roomId}.`);
    }
    // 2. Passes signature checks, otherwise it is dropped.
    for (const signer of signersOf(version, checked)) await this.#checkSignature(version, checked, signer);
    // 3. Passes hash checks, otherwise it is redacted before being processed further.
    const { pdu, encoded } = hasValidContentHash(version, checked.pdu, checked.encoded)
      ? checked
      : redacted(version, checked);
    return { event: toRoomEvent(version, pdu), encoded };
  }

  /** The same, where it can only be one event of one room. @throws RefusedPduError */
  async checkNamed(
    { version, roomId }: Pick<Room, "version" | "roomId">,
    eventId: string,
    value: unknown,
  ): Promise<ReceivedEvent> {
    const received = await this.check(version, value, roomId);
    if (received.event.eventId === eventId) return received;
    throw new RefusedPduError(`The event is not ${eventId}.`);
  }

  /** The same; `undefined` for an event that is refused. */
  async checkOrDrop(
    version: RoomVersion,
    value: unknown,
    roomId: RoomId,
    limits?: ReferenceLimits,
  ): Promise<ReceivedEvent | undefined> {
    try {
      return await this.check(version, value, roomId, limits);
    } catch (error) {
      if (error instanceof RefusedPduError) return undefined;
      throw error;
    }
  }

  async #checkSignature(
    version: RoomVersion,
    { pdu, encoded }: CheckedPdu,
    signer: ServerName,
  ): Promise<void> {
    const keyIds = signingKeyIds(pdu.signatures, signer).slice(0, maxKeysOfServer);
    if (keyIds.length === 0) throw new RefusedPduError(`The event has no signature of ${signer}.`);
    const atTs = version.enforceKeyValidity ? plainNumber(pdu.origin_server_ts) : undefined;
    const keys = await this.#keyring.keysOf(signer, keyIds, atTs);
    if (keys.length === 0) throw new RefusedPduError(`No key of ${signer} counts for the event's signature.`);
    const made = signaturesBy(pdu.signatures, signer, keys);
    const message = encoded.signedBytes();
    const verdicts = made.map(({ key, signature }) => this.#signatures.verify(key, message, signature));
    if (made.length > 0 && (await Promise.all(verdicts)).every(Boolean)) return;
    throw new RefusedPduError(`The event's signature of ${signer} is wrong.`);
  }
}

function signersOf(version: RoomVersion, { pdu }: CheckedPdu): ServerName[] {
  return dropping(() => requiredSigners(version, pdu));
}

function dropping<Result>(check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    if (error instanceof ProtocolError) throw new RefusedPduError(error.message, { cause: error });
    throw error;
  }
}

function redacted(version: RoomVersion, { pdu }: CheckedPdu): CheckedPdu {
  const left = redact(version, pdu);
  return { pdu: left, encoded: new EncodedEvent(version, left) };
}

/**
 * Checks an event for a server that waits for the answer.
 * @throws MatrixError M_INVALID_PARAM for what the checks refuse
 */
export async function refusing<Result>(check: () => Promise<Result>): Promise<Result> {
  try {
    return await check();
  } catch (error) {
    if (error instanceof RefusedPduError || error instanceof ProtocolError) {
      throw new MatrixError("M_INVALID_PARAM", error.message);
    }
    throw error;
  }
}
