import { parseEventId, type ServerName } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json.ts";
import type { Room } from "../../state/room-index.ts";
import type { EventStore } from "../../storage/events.ts";
import { type ReceiptStore, type RemoteReceipt, unthreaded } from "../../storage/receipts.ts";
import { DelayedWrites } from "../../storage/delayed-writes.ts";
import type { StreamChange } from "../../storage/streams.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { Pace } from "../../telemetry/pace.ts";
import type { EduRooms } from "./edu-rooms.ts";
import { type WaitingReceipt, WaitingReceipts } from "./waiting-receipts.ts";

/** What is beyond in one EDU goes unheard. */
const maxRooms = 100;
const maxReceipts = 200;
const maxEventIds = 10;
const maxThreadLength = 255;
/** What comes within this time is stored together, and wakes those in a room once. */
const storeDelayMs = 100;
const maxUnstored = 1_000;

interface PlacedReceipt extends RemoteReceipt {
  readonly roomNid: number;
}

export interface InboundReceiptsParts {
  readonly rooms: EduRooms;
  readonly events: Pick<EventStore, "byId">;
  readonly store: Pick<ReceiptStore, "putRemote">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Takes `m.receipt` (server-server API, "Receipts"). */
export class InboundReceipts implements AsyncDisposable {
  readonly #parts: InboundReceiptsParts;
  readonly #pace: Pace;
  /** Those of events that have not come yet: their servers send by different ways. */
  readonly #waiting: WaitingReceipts;
  readonly #unstored: DelayedWrites<PlacedReceipt>;

  constructor(parts: InboundReceiptsParts) {
    this.#parts = parts;
    this.#pace = new Pace(parts.clock);
    const failure = "receipts of other servers were not stored";
    this.#waiting = new WaitingReceipts(parts.clock, (roomNid, receipts) => {
      this.#place(roomNid, receipts).catch((error: unknown) => {
        parts.log.warn({ err: error, roomNid }, failure);
      });
    });
    this.#unstored = new DelayedWrites({
      ...parts,
      write: (receipts) => this.#write(receipts),
      delayMs: storeDelayMs,
      maxWaiting: maxUnstored,
      failure,
    });
  }

  /** To be told of each commit. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { stream, nid } of changes) if (stream === "timeline") this.#waiting.eventsCame(nid);
  };

  readonly receive = async (origin: ServerName, content: JsonObject): Promise<void> => {
    let left = maxReceipts;
    for (const [roomId, kinds] of Object.entries(content).slice(0, maxRooms)) {
      const reads = isJsonObject(kinds) ? kinds["m.read"] : undefined;
      const room = isJsonObject(reads) ? await this.#parts.rooms.open(roomId, origin) : undefined;
      if (!room || !isJsonObject(reads)) continue;
      const entries = Object.entries(reads).slice(0, left);
      left -= entries.length;
      await this.#place(room.roomNid, await this.#receiptsIn(room, origin, entries));
    }
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#waiting[Symbol.dispose]();
    await this.#unstored[Symbol.asyncDispose]();
  }

  async #receiptsIn(
    room: Room,
    origin: ServerName,
    entries: readonly (readonly [userId: string, receipt: JsonValue])[],
  ): Promise<WaitingReceipt[]> {
    const receipts: WaitingReceipt[] = [];
    for (const [userId, value] of entries) {
      await this.#pace.breathe();
      const receipt = receiptIn(value);
      const userNid = receipt && (await this.#parts.rooms.member(room, origin, userId));
      if (receipt && userNid !== undefined) receipts.push({ ...receipt, userNid });
    }
    return receipts;
  }

  async #place(roomNid: number, receipts: readonly WaitingReceipt[]): Promise<void> {
    for (const receipt of receipts) {
      await this.#pace.breathe();
      const read = await this.#furthest(roomNid, receipt.eventIds);
      if (!read) {
        this.#waiting.add(roomNid, receipt);
        continue;
      }
      const { userNid, thread, ts } = receipt;
      const key = `${roomNid} ${userNid} ${thread}`;
      if ((this.#unstored.waiting(key)?.eventPosition ?? 0) > read.eventPosition) continue;
      this.#unstored.add(key, { kind: "m.read", roomNid, userNid, thread, ts, ...read });
    }
  }

  async #write(receipts: readonly PlacedReceipt[]): Promise<void> {
    for (const [roomNid, placed] of Map.groupBy(receipts, (receipt) => receipt.roomNid)) {
      await this.#parts.store.putRemote(roomNid, placed);
    }
  }

  /** "The extremity event IDs that the user has read up to": of several, the one that is the newest here. */
  async #furthest(
    roomNid: number,
    eventIds: readonly string[],
  ): Promise<{ eventId: string; eventPosition: number } | undefined> {
    let furthest: { eventId: string; eventPosition: number } | undefined;
    for (const eventId of eventIds) {
      const event = await this.#parts.events.byId(eventId);
      if (event?.roomNid !== roomNid || event.position === null) continue;
      if (!furthest || event.position > furthest.eventPosition) {
        furthest = { eventId, eventPosition: event.position };
      }
    }
    return furthest;
  }
}

function receiptIn(value: JsonValue): Omit<WaitingReceipt, "userNid"> | undefined {
  if (!isJsonObject(value)) return undefined;
  const { event_ids: ids, data } = value;
  if (!Array.isArray(ids) || !isJsonObject(data)) return undefined;
  const { ts, thread_id: thread = unthreaded } = data;
  if (typeof ts !== "number" || !Number.isSafeInteger(ts) || ts < 0) return undefined;
  if (typeof thread !== "string" || thread.length > maxThreadLength) return undefined;
  const eventIds = (ids as readonly JsonValue[])
    .slice(0, maxEventIds)
    .flatMap((id) => (typeof id === "string" ? (parseEventId(id) ?? []) : []));
  return eventIds.length > 0 ? { eventIds, thread, ts } : undefined;
}
