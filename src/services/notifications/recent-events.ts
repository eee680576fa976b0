import { LRUCache } from "lru-cache";
import type { EventOutline, EventStore } from "../../storage/events.ts";
import type { StreamChange } from "../../storage/streams.ts";
import { countUpTo, type RoomTimelines } from "../../timeline/room-timelines.ts";

/** An event of a timeline, as far as counting needs it. Everybody who is in the room shares it. */
export interface CountedEvent extends EventOutline {
  readonly position: number;
  /** Whether it notifies nobody who has changed no push rule; `undefined` until somebody has looked. */
  isQuiet: boolean | undefined;
}

/** The newest events of a room. */
interface Stretch {
  /** Oldest first; every event after `from` and up to `upTo`, as far as they are counted. */
  events: readonly CountedEvent[];
  from: number;
  upTo: number;
  /** Ends when whoever reads at the moment is done. */
  work: Promise<void>;
}

export interface RecentEventsParts {
  readonly timelines: Pick<RoomTimelines, "newest">;
  readonly store: Pick<EventStore, "outlinesBackwards">;
}

/**
 * Of what has come since a count was last brought up to date, so many events are looked at, the newest: what a client
 * shows as "99+" need not be exact, and nobody waits for ten thousand events to be judged. `maxThreadReceipts` is no
 * less, so that no receipt is dropped that could matter here.
 */
const maxCounted = 1_000;
/** So few new events are likely to be in memory. */
const fewEvents = 50;
/** Bounds memory: at some 120 bytes each. */
const cachedEvents = 100_000;

/** The events that counts of unread messages go through: read once for all members of a room. */
export class RecentEvents {
  readonly #parts: RecentEventsParts;
  readonly #stretches = new LRUCache<number, Stretch>({
    maxSize: cachedEvents,
    sizeCalculation: ({ events }) => events.length + 1,
  });

  constructor(parts: RecentEventsParts) {
    this.#parts = parts;
  }

  /** To be told of each commit before its position becomes visible. What has come at the end is read later. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { stream, nid, redactedNid, restatedNids, isHistory } of changes) {
      const isOutdated = redactedNid !== undefined || restatedNids !== undefined || isHistory;
      if (stream === "timeline" && isOutdated) this.#stretches.delete(nid);
    }
  };

  /** The newest events of a room after one position, up to another; oldest first. */
  async after(roomNid: number, after: number, upTo: number): Promise<readonly CountedEvent[]> {
    const known = this.#stretches.get(roomNid);
    const stretch = known ?? { events: [], from: after, upTo: after, work: Promise.resolve() };
    if (!known) this.#stretches.set(roomNid, stretch);
    if (!covers(stretch, after, upTo)) {
      const work = stretch.work.then(() => this.#extend(roomNid, stretch, after, upTo));
      // Whoever has asked is told of a failure; the next one tries again.
      stretch.work = work.catch(() => undefined);
      await work;
    }
    const { events } = stretch;
    return events.slice(countUpTo(events, after), countUpTo(events, upTo));
  }

  async #extend(roomNid: number, stretch: Stretch, after: number, upTo: number): Promise<void> {
    if (upTo > stretch.upTo) {
      const newer = await this.#newest(roomNid, stretch.upTo, upTo);
      stretch.events = [...stretch.events, ...newer].slice(-maxCounted);
      stretch.upTo = upTo;
    }
    if (!covers(stretch, after, upTo)) {
      const room = maxCounted - stretch.events.length;
      stretch.events = [...(await this.#outlines(roomNid, after, stretch.from, room)), ...stretch.events];
      stretch.from = after;
    }
    // One that has been dropped meanwhile is only whose who wait for it.
    if (this.#stretches.peek(roomNid) === stretch) this.#stretches.set(roomNid, stretch);
  }

  async #newest(roomNid: number, after: number, upTo: number): Promise<readonly CountedEvent[]> {
    const { events, hasMore } = await this.#parts.timelines.newest(roomNid, after, upTo, fewEvents);
    return hasMore ? this.#outlines(roomNid, after, upTo, maxCounted) : events.map(counted);
  }

  async #outlines(roomNid: number, after: number, upTo: number, limit: number): Promise<CountedEvent[]> {
    const newestFirst = await this.#parts.store.outlinesBackwards(roomNid, upTo, after, limit);
    return newestFirst.toReversed().map(counted);
  }
}

/** Whether nothing has to be read; more events than are counted never are. */
function covers({ events, from, upTo: end }: Stretch, after: number, upTo: number): boolean {
  return upTo <= end && (after >= from || events.length >= maxCounted);
}

function counted({ eventNid, position, pairNid, senderNid, redactedBy }: EventOutline): CountedEvent {
  return { eventNid, position: position ?? 0, pairNid, senderNid, redactedBy, isQuiet: undefined };
}
