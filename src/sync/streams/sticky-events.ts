import type { EventReader } from "../../state/event-reader.ts";
import type { StoredEvent } from "../../storage/events.ts";
import type { StickyEventStore } from "../../storage/sticky-events.ts";
import type { Clock } from "../../telemetry/clock.ts";
import type { Reader } from "../../timeline/reader.ts";
import type { StickyRooms } from "../../timeline/sticky-rooms.ts";

/** Sticky events, as far as one answer takes them. */
export interface StickyEvents {
  /** By room, the oldest first. */
  readonly byRoom: ReadonlyMap<number, readonly StoredEvent[]>;
  /** Up to where they have been read: less than what was asked for when there are too many for one answer. */
  readonly upTo: number;
}

export interface StickyQuery {
  readonly reader: Reader;
  /** Rooms that the reader is in. */
  readonly roomNids: Iterable<number>;
  /** Those of them of which the reader gets all sticky events, for they have just come. */
  readonly newRooms: ReadonlySet<number>;
  readonly after: number;
  readonly upTo: number;
  readonly limit: number;
}

export interface StickyEventStreamParts {
  readonly store: Pick<StickyEventStore, "inRooms">;
  readonly rooms: StickyRooms;
  readonly events: Pick<EventReader, "storedAll">;
  readonly clock: Clock;
}

/** What one answer brings; the rest follows in the next. */
export const maxStickyEvents = 200;

/**
 * Events that everybody in a room gets, whatever their place in its timeline (MSC4354). "History visibility checks MUST NOT
 * be applied to sticky events."
 */
export class StickyEventStream {
  readonly #parts: StickyEventStreamParts;

  constructor(parts: StickyEventStreamParts) {
    this.#parts = parts;
  }

  /** No room has any. */
  get isEmpty(): boolean {
    return this.#parts.rooms.isEmpty;
  }

  async read({ reader, roomNids, newRooms, after, upTo, limit }: StickyQuery): Promise<StickyEvents> {
    const { store, rooms, clock } = this.#parts;
    const sticky = [...roomNids].filter((roomNid) => rooms.has(roomNid));
    const byRoom = new Map<number, StoredEvent[]>();
    if (sticky.length === 0) return { byRoom, upTo };
    const nowTs = clock.nowMs();
    const most = Math.min(limit, maxStickyEvents);
    const known = sticky.filter((roomNid) => !newRooms.has(roomNid));
    const places = await store.inRooms(known, after, upTo, nowTs, most);
    const last = places.length < most ? undefined : places.at(-1);
    const fresh = sticky.filter((roomNid) => newRooms.has(roomNid));
    if (fresh.length > 0) {
      // "The server MUST include all unexpired sticky events for that room in their subsequent sync response."
      places.push(...(await store.inRooms(fresh, 0, upTo, nowTs, Number.MAX_SAFE_INTEGER)));
    }
    for (const event of await this.#parts.events.storedAll(places.map(({ eventNid }) => eventNid))) {
      if (reader.ignored.has(event.senderNid)) continue;
      const ofRoom = byRoom.get(event.roomNid);
      if (ofRoom) ofRoom.push(event);
      else byRoom.set(event.roomNid, [event]);
    }
    return { byRoom, upTo: last?.position ?? upTo };
  }
}
