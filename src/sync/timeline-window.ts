import type { StoredEvent } from "../storage/events.ts";
import type { EventFiltering } from "../timeline/filtering.ts";
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
  /** The newest event of the range, shown or not; `undefined` when there is none. */
  readonly newest: StoredEvent | undefined;
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
  readonly #filtering: EventFiltering;

  constructor(timelines: RoomTimelines, filtering: EventFiltering) {
    this.#timelines = timelines;
    this.#filtering = filtering;
  }

  /** The newest events after one position, up to another. */
  async read(
    view: RoomView,
    roomNid: number,
    after: number,
    upTo: number,
    filter: EventFilter,
  ): Promise<TimelineWindow> {
    const limit = limitOf(filter);
    let events: StoredEvent[] = [];
    let newest: StoredEvent | undefined;
    let end = upTo;
    let isWhole = true;
    let hasMore = true;
    for (let reads = 0; hasMore && events.length <= limit && reads < maxReads; reads++) {
      const wanted = reads === 0 ? limit + 1 : eventsPerFurtherRead;
      const stretch = await this.#timelines.newest(roomNid, after, end, wanted);
      const visible = await view.visible(stretch.events);
      const passed = await this.#filtering.passed(filter, visible);
      newest ??= stretch.events.at(-1);
      isWhole &&= passed.length === stretch.events.length;
      events = reads === 0 ? [...passed] : [...passed, ...events];
      ({ hasMore } = stretch);
      end = positionBefore(stretch.events, after);
      // What is missing has to be asked for page by page.
      if (stretch.followsGap) break;
    }
    if (events.length > limit) return { ...shownOf(events, limit, upTo), isWhole, newest };
    const prevBatch = hasMore ? end : positionBefore(events, upTo);
    return { events, limited: hasMore, prevBatch, isWhole, newest };
  }
}

/** How many events a client gets of a room. */
export function limitOf({ limit }: EventFilter): number {
  return Math.min(limit ?? defaultLimit, maxLimit);
}

/** What is shown of more events than a client wants. */
export function shownOf(
  events: readonly StoredEvent[],
  limit: number,
  upTo: number,
): Pick<TimelineWindow, "events" | "limited" | "prevBatch"> {
  const shown = events.slice(events.length - limit);
  return { events: shown, limited: true, prevBatch: positionBefore(shown, upTo) };
}

/** The position before the first of some events. */
function positionBefore([first]: readonly StoredEvent[], withoutAny: number): number {
  return first?.position === undefined || first.position === null ? withoutAny : first.position - 1;
}

/** What a range without events, or one that is not wanted, comes to. */
export function emptyWindow(upTo: number): TimelineWindow {
  return { events: [], limited: false, prevBatch: upTo, isWhole: false, newest: undefined };
}
