import type { StoredEvent } from "../storage/events.ts";
import type { NameCache } from "../storage/name-cache.ts";
import { filterEvents } from "../timeline/filtering.ts";
import type { RoomTimelines } from "../timeline/room-timelines.ts";
import type { RoomView } from "../timeline/room-view.ts";
import type { EventFilter } from "./event-filter.ts";

/** The part of a room's timeline that one sync brings. */
export interface TimelineWindow {
  /** Visible to the reader and let pass by the filter, oldest first. */
  readonly events: readonly StoredEvent[];
  /** Whether events before these were left out that the client does not have. */
  readonly limited: boolean;
  /** From where to read on backwards. */
  readonly prevBatch: number;
  /** Whether every event of the room from the first of these on is among them. */
  readonly isWhole: boolean;
}

const defaultLimit = 10;
/** A client that wants more has to page through /messages. */
const maxLimit = 100;
/** Reads of a timeline most of whose events the reader may not see, or does not want. */
const maxReads = 5;
const eventsPerFurtherRead = 200;

/** Cuts out of rooms' timelines what a sync brings. */
export class TimelineWindows {
  readonly #timelines: RoomTimelines;
  readonly #names: NameCache;

  constructor(timelines: RoomTimelines, names: NameCache) {
    this.#timelines = timelines;
    this.#names = names;
  }

  /** The newest events after one position, up to another. */
  async read(
    view: RoomView,
    roomNid: number,
    after: number,
    upTo: number,
    filter: EventFilter,
  ): Promise<TimelineWindow> {
    const limit = Math.min(filter.limit ?? defaultLimit, maxLimit);
    let found: StoredEvent[] = [];
    let end = upTo;
    let isWhole = true;
    for (let reads = 0; reads < maxReads; reads++) {
      const stretch = await this.#timelines.newest(
        roomNid,
        after,
        end,
        reads === 0 ? limit + 1 : eventsPerFurtherRead,
      );
      const visible = await view.visible(stretch.events);
      const passed = await filterEvents(this.#names, filter, visible);
      isWhole &&= passed.length === stretch.events.length;
      found = [...passed, ...found];
      if (found.length > limit) return cut(found, limit, upTo, isWhole);
      if (!stretch.hasMore) return { events: found, limited: false, prevBatch: before(found, upTo), isWhole };
      end = (stretch.events[0]?.position ?? after) - 1;
    }
    return { events: found, limited: true, prevBatch: end, isWhole };
  }
}

function cut(found: readonly StoredEvent[], limit: number, upTo: number, isWhole: boolean): TimelineWindow {
  const events = limit === 0 ? [] : found.slice(-limit);
  return { events, limited: true, prevBatch: before(events, upTo), isWhole };
}

function before([first]: readonly StoredEvent[], upTo: number): number {
  return first?.position === undefined || first.position === null ? upTo : first.position - 1;
}
