import type { ReceivedEvent } from "../../ingest/received-event.ts";
import { checkPdu } from "../../protocol/event-format.ts";
import type { EventId, ServerName } from "../../protocol/identifiers.ts";
import { toRoomEvent } from "../../protocol/room-event.ts";
import type { RoomVersion } from "../../protocol/room-versions.ts";
import { parseStrictJson } from "../../protocol/strict-json.ts";
import type { RoomIndex } from "../../state/room-index.ts";
import type { FederationInboxStore, InboxEvent, InboxRow } from "../../storage/federation-inbox.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { EventCompletion } from "./event-completion.ts";

export interface RoomInboxesParts {
  readonly store: FederationInboxStore;
  readonly rooms: RoomIndex;
  readonly completion: EventCompletion;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Rooms whose events are judged at the same time; a room that waits for a slow server takes one place. */
const maxRoomsAtOnce = 50;
/** What one commit and one look into the inbox take. */
const eventsAtOnce = 50;
/** What waits for one room beyond this is left out; it is asked for again when something follows it. */
const maxWaiting = 5_000;
/** After a failure of our own, such as a full disk. */
const retryDelayMs = 10_000;

/** Takes received events out of the inbox and into their rooms' graphs: in order within a room, rooms side by side. */
export class RoomInboxes implements AsyncDisposable {
  readonly #parts: RoomInboxesParts;
  /** Rooms for which something waits, in the order in which they were woken. */
  readonly #waiting = new Set<number>();
  readonly #working = new Map<number, Promise<void>>();
  #isClosed = false;

  constructor(parts: RoomInboxesParts) {
    this.#parts = parts;
  }

  /** Goes on with what has waited since before the start. */
  async resume(): Promise<void> {
    for (const roomNid of await this.#parts.store.rooms()) this.#wake(roomNid);
  }

  /**
   * Keeps events on disk until they have been judged.
   * @returns the IDs of those for which there is no place
   * @throws StorageError
   */
  async add(events: readonly InboxEvent[]): Promise<readonly string[]> {
    if (events.length === 0) return [];
    const leftOut = await this.#parts.store.add(events, maxWaiting);
    for (const roomNid of new Set(events.map((event) => event.roomNid))) this.#wake(roomNid);
    return leftOut;
  }

  /** What is being judged is judged to its end; the rest waits for the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#waiting.clear();
    await Promise.all(this.#working.values());
  }

  #wake(roomNid: number): void {
    if (this.#isClosed) return;
    this.#waiting.add(roomNid);
    this.#startWork();
  }

  #startWork(): void {
    for (const roomNid of this.#waiting) {
      if (this.#working.size >= maxRoomsAtOnce) return;
      if (this.#working.has(roomNid)) continue;
      this.#waiting.delete(roomNid);
      this.#working.set(
        roomNid,
        this.#empty(roomNid).finally(() => {
          this.#working.delete(roomNid);
          this.#startWork();
        }),
      );
    }
  }

  async #empty(roomNid: number): Promise<void> {
    try {
      while (!this.#isClosed) {
        const rows = await this.#parts.store.next(roomNid, eventsAtOnce);
        if (rows.length === 0) return;
        await this.#judge(roomNid, rows);
        await this.#parts.store.remove(rows.map(({ inboxNid }) => inboxNid));
      }
    } catch (error) {
      this.#parts.log.error(
        { err: error, roomNid },
        "received events cannot be judged; they are tried again later",
      );
      this.#parts.clock.setTimer(retryDelayMs, () => this.#wake(roomNid));
    }
  }

  /** Events of different servers are told apart, since each has to answer for what its own rest on. */
  async #judge(roomNid: number, rows: readonly InboxRow[]): Promise<void> {
    const room = await this.#parts.rooms.byNid(roomNid);
    for (let start = 0; start < rows.length; ) {
      const origin = rows[start]?.origin as ServerName;
      const next = rows.findIndex((row, index) => index > start && row.origin !== origin);
      const end = next === -1 ? rows.length : next;
      const events = rows.slice(start, end).map((row) => receivedEvent(room.version, row));
      const receipts = await this.#parts.completion.receive(room, origin, events);
      for (const { eventId, verdict, reason } of receipts) {
        if (verdict === "accepted" || verdict === "known") continue;
        this.#parts.log.info({ roomId: room.roomId, origin, eventId, verdict, reason }, "event not accepted");
      }
      start = end;
    }
  }
}

/** It has been checked when it came. */
function receivedEvent(version: RoomVersion, { pdu, eventId }: InboxRow): ReceivedEvent {
  const checked = checkPdu(version, parseStrictJson(pdu));
  return { event: toRoomEvent(version, checked.pdu, eventId as EventId), encoded: checked.encoded };
}
