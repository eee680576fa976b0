import type { EventStore, StoredEvent } from "../../storage/events.ts";
import type { EventFilter } from "../../sync/event-filter.ts";
import type { EventFiltering } from "../../timeline/filtering.ts";
import type { RoomTimelines } from "../../timeline/room-timelines.ts";
import type { Room } from "../../state/room-index.ts";
import type { ReadableRoom } from "./reading-access.ts";
import type { Clock } from "../../telemetry/clock.ts";
import { HistoryForRequest, type RemoteHistory } from "./remote-history.ts";

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

/** What a page has come to. */
interface Progress {
  readonly events: StoredEvent[];
  after: number;
  upTo: number;
  hasSkipped: boolean;
}

/** Reads timelines page by page, as one reader sees them. What is missing on the way back is got from other servers. */
export class TimelinePages {
  readonly #store: Pick<EventStore, "timelineForwards">;
  readonly #timelines: Pick<RoomTimelines, "newestAcrossGaps" | "gaps">;
  readonly #filtering: EventFiltering;
  readonly #history: RemoteHistory;
  readonly #clock: Clock;

  constructor(
    store: Pick<EventStore, "timelineForwards">,
    timelines: Pick<RoomTimelines, "newestAcrossGaps" | "gaps">,
    filtering: EventFiltering,
    history: RemoteHistory,
    clock: Clock,
  ) {
    this.#store = store;
    this.#timelines = timelines;
    this.#filtering = filtering;
    this.#history = history;
    this.#clock = clock;
  }

  /** @param history that of the request that it is for, where it has asked for other events already */
  async read(
    readable: ReadableRoom,
    range: PageRange,
    filter: EventFilter,
    history = new HistoryForRequest(this.#history, this.#clock),
  ): Promise<Page> {
    const { room, until } = readable;
    const { direction, limit } = range;
    const events: StoredEvent[] = [];
    if (!filter.matchesRoom(room.roomId)) return { events, next: undefined };
    const page = { events, after: range.after, upTo: Math.min(range.upTo, until), hasSkipped: false };
    const start = page.upTo;
    let crossed = Number.POSITIVE_INFINITY;
    for (let reads = 0; reads < maxReads; reads++) {
      const gap = direction === "b" ? await this.#gapIn(room, page, crossed) : undefined;
      const floor = gap === undefined ? page.after : gap - 1;
      const wanted = reads === 0 ? limit + 1 : eventsPerFurtherRead;
      const next = await this.#readOn(readable, { ...range, after: floor }, filter, page, wanted);
      if (next === "full") return { events, next: pointAt(events.at(-1), direction) };
      if (next === "more") continue;
      if (gap === undefined) {
        // Who asks again at the gap may get more.
        const isStuck = crossed < Number.POSITIVE_INFINITY && events.length === 0;
        return { events, next: isStuck ? start : endOf(page, direction) };
      }
      page.upTo = floor;
      if (events.length === limit) return { events, next: floor };
      const outcome = await history.fillGap(room, gap);
      if (outcome === "changed") continue;
      if (events.length > 0 || outcome === "pending") return { events, next: floor };
      // Nobody can fill it for now, and there may be more before it.
      crossed = gap;
    }
    return { events, next: pointOf(direction, page.upTo, page.after) };
  }

  /** Takes a stretch into a page: until that is full, there is nothing left in the stretch, or there is more to read. */
  async #readOn(
    { room, view }: ReadableRoom,
    { direction, after, limit }: Pick<PageRange, "direction" | "after" | "limit">,
    filter: EventFilter,
    page: Progress,
    wanted: number,
  ): Promise<"full" | "more" | "end"> {
    const isBackwards = direction === "b";
    const events = isBackwards
      ? (await this.#timelines.newestAcrossGaps(room.roomNid, after, page.upTo, wanted)).toReversed()
      : await this.#store.timelineForwards(room.roomNid, page.after, page.upTo, wanted);
    const visible = await view.visible(events);
    const passed = await this.#filtering.passed(filter, visible);
    page.hasSkipped ||= passed.length < visible.length;
    for (const event of passed) {
      if (page.events.length === limit) return "full";
      page.events.push(event);
    }
    const last = events.at(-1);
    if (last && isBackwards) page.upTo = (last.position ?? page.upTo) - 1;
    else if (last) page.after = last.position ?? page.after;
    return events.length < wanted ? "end" : "more";
  }

  /** The newest gap of a range, before one that has been crossed. One that the range begins right after is part of it. */
  async #gapIn({ roomNid }: Room, { after, upTo }: Progress, crossed: number): Promise<number | undefined> {
    const gaps = await this.#timelines.gaps(roomNid);
    return gaps.findLast((position) => position <= upTo + 1 && position > after && position < crossed);
  }
}

/** There is more to see than what a filter lets through: some clients take it that a page with events goes on. */
function endOf({ events, after, upTo, hasSkipped }: Progress, direction: Direction): number | undefined {
  return hasSkipped && events.length > 0 ? pointOf(direction, upTo, after) : undefined;
}

/** From where to read on after a stretch. */
function pointOf(direction: Direction, upTo: number, after: number): number {
  return direction === "b" ? upTo : after;
}

/** From where to read on after an event. */
function pointAt(event: StoredEvent | undefined, direction: Direction): number {
  const position = event?.position ?? 0;
  return direction === "b" ? position - 1 : position;
}
