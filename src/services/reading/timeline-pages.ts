import type { EventStore, StoredEvent } from "../../storage/events.ts";
import type { EventFilter } from "../../sync/event-filter.ts";
import type { EventFiltering } from "../../timeline/filtering.ts";
import type { ReadableRoom } from "./reading-access.ts";

/** Which way to read a timeline: `f` forwards in time, `b` backwards. */
export type Direction = "f" | "b";

/** A stretch to read: positions after `after`, up to and including `upTo`. */
export interface PageRange {
  readonly direction: Direction;
  readonly after: number;
  readonly upTo: number;
  readonly limit: number;
}

export interface Page {
  /** In the direction of reading. */
  readonly events: readonly StoredEvent[];
  /** From where to read on; `undefined` when there is nothing more. */
  readonly next: number | undefined;
}

/** Stretches of events that the reader may not see, or has filtered out, take this many reads at most. */
const maxReads = 10;
const eventsPerFurtherRead = 200;

/** Reads timelines page by page, as one reader sees them. */
export class TimelinePages {
  readonly #store: EventStore;
  readonly #filtering: EventFiltering;

  constructor(store: EventStore, filtering: EventFiltering) {
    this.#store = store;
    this.#filtering = filtering;
  }

  async read({ room, view, until }: ReadableRoom, range: PageRange, filter: EventFilter): Promise<Page> {
    const { direction, limit } = range;
    const found: StoredEvent[] = [];
    if (!filter.matchesRoom(room.roomId)) return { events: found, next: undefined };
    let { after } = range;
    let upTo = Math.min(range.upTo, until);
    let hasSkipped = false;
    for (let reads = 0; reads < maxReads; reads++) {
      const wanted = reads === 0 ? limit + 1 : eventsPerFurtherRead;
      const events =
        direction === "b"
          ? await this.#store.timelineBackwards(room.roomNid, upTo, after, wanted)
          : await this.#store.timelineForwards(room.roomNid, after, upTo, wanted);
      const visible = await view.visible(events);
      const passed = await this.#filtering.passed(filter, visible);
      hasSkipped ||= passed.length < visible.length;
      for (const event of passed) {
        if (found.length === limit) return { events: found, next: pointAt(found.at(-1) ?? event, direction) };
        found.push(event);
      }
      const last = events.at(-1);
      if (!last) return { events: found, next: undefined };
      if (direction === "b") upTo = (last.position ?? upTo) - 1;
      else after = last.position ?? after;
      if (events.length < wanted) {
        // There is more to see than what a filter lets through: some clients take it that a page with events goes on.
        return {
          events: found,
          next: hasSkipped && found.length > 0 ? pointOf(direction, upTo, after) : undefined,
        };
      }
    }
    return { events: found, next: pointOf(direction, upTo, after) };
  }
}

/** From where to read on after a stretch. */
function pointOf(direction: Direction, upTo: number, after: number): number {
  return direction === "b" ? upTo : after;
}

/** From where to read on after an event. */
function pointAt({ position }: StoredEvent, direction: Direction): number {
  return direction === "b" ? (position ?? 0) - 1 : (position ?? 0);
}
