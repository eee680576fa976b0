import { boundedCache } from "../../cache/bounded-cache.ts";
import type { EventId, ServerName } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json.ts";
import { eventId } from "../../protocol/event-hash.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Pdu } from "../../protocol/pdu.ts";
import type { RoomVersion } from "../../protocol/room-versions.ts";
import type { Room, RoomIndex } from "../../state/room-index.ts";
import type { InboxEvent } from "../../storage/federation-inbox.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { RoomParticipation } from "../room-participation.ts";
import type { EduReceivers } from "./edu-receivers.ts";
import { type PduChecks, RefusedPduError } from "./pdu-checks.ts";
import type { RoomInboxes } from "./room-inboxes.ts";
import type { Withdrawals } from "./withdrawals.ts";

/** What became of each event of a transaction: nothing to say, or an error. */
export type TransactionResult = Record<string, { error?: string }>;

export interface InboundTransactionsParts {
  readonly rooms: Pick<RoomIndex, "find">;
  readonly participation: Pick<RoomParticipation, "isJoined" | "admits">;
  readonly checks: Pick<PduChecks, "check">;
  readonly withdrawals: Pick<Withdrawals, "receive">;
  readonly inboxes: Pick<RoomInboxes, "add" | "relieved">;
  readonly edus: Pick<EduReceivers, "receive">;
  readonly clock: Clock;
}

/** An event that waits to be judged, one that nothing more is to be done for, or one that is refused. */
type CheckedEvent = InboxEvent | { readonly eventId: EventId; readonly error?: string };

/** What a server may send of a room: `elsewhere` is a room in which nobody of this server is. */
type Standing = "admitted" | "shut out" | "elsewhere";

/** Transactions whose result is remembered: a server that has not heard our answer sends the same again. */
const rememberedTransactions = 2_000;

/** Takes transactions of other servers (server-server API, "Transactions"). */
export class InboundTransactions {
  readonly #parts: InboundTransactionsParts;
  readonly #results = boundedCache<string, Promise<TransactionResult>>(rememberedTransactions);

  constructor(parts: InboundTransactionsParts) {
    this.#parts = parts;
  }

  /**
   * @param pdus at most 50
   * @param edus at most 100
   * @returns once all events are on disk; they are judged afterwards
   * @throws StorageError
   */
  receive(
    origin: ServerName,
    transactionId: string,
    pdus: readonly JsonValue[],
    edus: readonly JsonValue[],
  ): Promise<TransactionResult> {
    const key = `${origin} ${transactionId}`;
    const known = this.#results.get(key);
    if (known) return known;
    const result = this.#receive(origin, pdus, edus);
    this.#results.set(key, result);
    // What failed may be tried again under the same ID.
    result.catch(() => this.#results.delete(key));
    return result;
  }

  async #receive(
    origin: ServerName,
    pdus: readonly JsonValue[],
    edus: readonly JsonValue[],
  ): Promise<TransactionResult> {
    const results: TransactionResult = {};
    const passed: InboxEvent[] = [];
    const standings = new Map<number, Promise<Standing>>();
    const standingIn = (room: Room) => {
      const standing = standings.get(room.roomNid) ?? this.#standing(room, origin);
      standings.set(room.roomNid, standing);
      return standing;
    };
    const outcomes = await Promise.all(pdus.map((pdu) => this.#check(origin, pdu, standingIn)));
    for (const outcome of outcomes) {
      if (!outcome) continue;
      results[outcome.eventId] = "error" in outcome ? { error: outcome.error } : {};
      if ("pdu" in outcome) passed.push(outcome);
    }
    for (const leftOut of await this.#parts.inboxes.add(passed)) {
      results[leftOut] = { error: "Too many events of the room wait already." };
    }
    await this.#parts.edus.receive(origin, edus);
    await this.#parts.inboxes.relieved(passed);
    return results;
  }

  /** `undefined` for what has no ID to answer under. */
  async #check(
    origin: ServerName,
    pdu: JsonValue,
    standingIn: (room: Room) => Promise<Standing>,
  ): Promise<CheckedEvent | undefined> {
    const roomId = isJsonObject(pdu) ? pdu["room_id"] : undefined;
    const room = typeof roomId === "string" ? await this.#parts.rooms.find(roomId) : undefined;
    if (!room || !isJsonObject(pdu)) return undefined;
    try {
      return await this.#checkIn(room, await standingIn(room), origin, pdu);
    } catch (error) {
      if (!(error instanceof RefusedPduError)) throw error;
      const id = idOf(room.version, pdu);
      return id && { eventId: id, error: error.message };
    }
  }

  async #standing(room: Room, origin: ServerName): Promise<Standing> {
    const { participation } = this.#parts;
    if (!(await participation.isJoined(room))) return "elsewhere";
    return (await participation.admits(room, origin)) ? "admitted" : "shut out";
  }

  /** @throws RefusedPduError */
  async #checkIn(room: Room, standing: Standing, origin: ServerName, pdu: JsonObject): Promise<CheckedEvent> {
    const { checks, withdrawals, clock } = this.#parts;
    if (standing === "shut out") {
      throw new RefusedPduError(`The room's server ACL does not admit ${origin}.`);
    }
    const received = await checks.check(room.version, pdu, room.roomId);
    const { event, encoded } = received;
    if (standing === "elsewhere") {
      await withdrawals.receive(room, received);
      return { eventId: event.eventId };
    }
    return {
      roomNid: room.roomNid,
      eventId: event.eventId,
      origin,
      pdu: encoded.text(),
      receivedTs: clock.nowMs(),
    };
  }
}

function idOf(version: RoomVersion, pdu: JsonObject): EventId | undefined {
  try {
    return eventId(version, pdu as unknown as Pdu);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
