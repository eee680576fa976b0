import type { Requester } from "../auth/requester.ts";
import { parseEventId } from "../protocol/identifiers.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { Room } from "../state/room-index.ts";
import type { EventStore, StoredEvent } from "../storage/events.ts";
import { type Receipt, type ReceiptKind, type ReceiptStore, unthreaded } from "../storage/receipts.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { EventThreads } from "../timeline/event-threads.ts";
import type { RoomAccess } from "./rooms/room-access.ts";

export interface ReceiptServiceParts {
  readonly store: ReceiptStore;
  readonly access: RoomAccess;
  readonly events: Pick<EventStore, "byId">;
  readonly threads: EventThreads;
  readonly clock: Clock;
}

/** Events that are to be marked as read, by their IDs. */
export interface ReadMarkers {
  readonly fullyRead: string | undefined;
  readonly read: string | undefined;
  readonly privateRead: string | undefined;
  /** Whether the fully read marker may go back; receipts never do (MSC4446). */
  readonly mayGoBack: boolean;
}

/** What a request for a receipt says beside its path. */
export interface ReceiptOptions {
  /** What the client sent, unchecked; `undefined` for an unthreaded receipt. */
  readonly threadId: unknown;
  /** Whether a fully read marker may go back. */
  readonly mayGoBack: boolean;
}

/** An event of a room's timeline. */
interface ReadEvent {
  readonly event: StoredEvent;
  readonly position: number;
}

/** Up to where users have read (client-server API, "Receipts" and "Read and unread markers"). */
export class ReceiptService {
  readonly #parts: ReceiptServiceParts;

  constructor(parts: ReceiptServiceParts) {
    this.#parts = parts;
  }

  /**
   * Marks what comes before an event, itself included, as read. A receipt that would go back changes nothing.
   * @param type `m.read`, `m.read.private` or `m.fully_read`
   * @throws MatrixError M_FORBIDDEN, M_INVALID_PARAM, M_NOT_FOUND when the room has no such event
   */
  async post(
    requester: Requester,
    roomId: string,
    type: string,
    eventId: string,
    { threadId, mayGoBack }: ReceiptOptions,
  ): Promise<void> {
    if (type === "m.fully_read") {
      if (threadId !== undefined) throw invalid("A fully read marker takes no thread_id");
      await this.setMarkers(requester, roomId, {
        fullyRead: eventId,
        read: undefined,
        privateRead: undefined,
        mayGoBack,
      });
      return;
    }
    if (mayGoBack) throw invalid("com.beeper.allow_backward is for m.fully_read only");
    if (!isReceiptKind(type)) throw invalid("The receipt type is m.read, m.read.private or m.fully_read");
    if (threadId !== undefined && (typeof threadId !== "string" || threadId === "")) {
      throw invalid("thread_id must be a non-empty string");
    }
    const room = await this.#parts.access.joinedRoom(roomId, requester);
    const read = await this.#event(room, eventId);
    if (threadId !== undefined && !(await this.#parts.threads.mayBeReadIn(threadId, read.event))) {
      throw invalid("The event is not in the thread that thread_id names");
    }
    const receipt = this.#receipt(type, read, threadId ?? unthreaded);
    await this.#parts.store.put(placeOf(requester, room), [receipt], null);
  }

  /**
   * Moves the fully read marker and unthreaded receipts, all or none.
   * @throws MatrixError M_FORBIDDEN, M_INVALID_PARAM, M_NOT_FOUND when the room has no such event
   */
  async setMarkers(requester: Requester, roomId: string, markers: ReadMarkers): Promise<void> {
    const room = await this.#parts.access.joinedRoom(roomId, requester);
    const fullyRead =
      markers.fullyRead === undefined ? undefined : await this.#event(room, markers.fullyRead);
    const receipts: Receipt[] = [];
    for (const [kind, eventId] of [
      ["m.read", markers.read],
      ["m.read.private", markers.privateRead],
    ] as const) {
      if (eventId === undefined) continue;
      receipts.push(this.#receipt(kind, await this.#event(room, eventId), unthreaded));
    }
    const marker = fullyRead && {
      eventId: fullyRead.event.eventId,
      eventPosition: fullyRead.position,
      mayGoBack: markers.mayGoBack,
    };
    if (!marker && receipts.length === 0) return;
    await this.#parts.store.put(placeOf(requester, room), receipts, marker ?? null);
  }

  #receipt(kind: ReceiptKind, { event, position }: ReadEvent, thread: string): Receipt {
    const ts = this.#parts.clock.nowMs();
    return { kind, thread, eventId: event.eventId, eventPosition: position, ts };
  }

  async #event(room: Room, eventId: string): Promise<ReadEvent> {
    if (parseEventId(eventId) === undefined) throw invalid(`${eventId.slice(0, 300)} is not an event ID`);
    const event = await this.#parts.events.byId(eventId);
    // What is outside the timeline has no place up to which anything could have been read.
    if (event?.roomNid !== room.roomNid || event.position === null) {
      throw new MatrixError("M_NOT_FOUND", "The room has no such event");
    }
    return { event, position: event.position };
  }
}

function isReceiptKind(type: string): type is ReceiptKind {
  return type === "m.read" || type === "m.read.private";
}

function placeOf({ userNid }: Requester, { roomNid, roomId }: Room) {
  return { userNid, roomNid, roomId };
}

function invalid(message: string): MatrixError {
  return new MatrixError("M_INVALID_PARAM", message);
}
