import { boundedCache } from "../cache/bounded-cache.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { EventStore, StoredEvent, TimelinePlace } from "../storage/events.ts";
import type { StreamChange } from "../storage/streams.ts";

/** A stretch of a room's timeline, oldest event first. */
export interface Stretch {
  readonly events: readonly StoredEvent[];
  /** Whether there are older events in the range that was asked for. */
  readonly hasMore: boolean;
}

/** The newest places of a room's timeline: all that lie after `from`, oldest first. */
interface Tail {
  from: number;
  places: readonly TimelinePlace[];
  /** How many commits have changed the room since the tail is kept, and how many of them have been read. */
  changes: number;
  readChanges: number;
}

/** Below every position there is. */
export const startOfTime = Number.MIN_SAFE_INTEGER;
const endOfTime = Number.MAX_SAFE_INTEGER;

/** What syncs and first pages ask for is almost always among these. */
const minTailLength = 64;
const maxTailLength = 256;
const cachedTails = 20_000;

/** Reads the timelines of rooms; where their newest events are is known without asking storage. */
export class RoomTimelines {
  readonly #store: EventStore;
  readonly #events: EventReader;
  readonly #tails = boundedCache<number, Tail>(cachedTails);

  constructor(store: EventStore, events: EventReader) {
    this.#store = store;
    this.#events = events;
  }

  /** To be told of each commit before its position becomes visible. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { stream, nid, redactedNid } of changes) {
      if (stream !== "timeline") continue;
      const tail = this.#tails.peek(nid);
      if (tail) tail.changes++;
      if (redactedNid !== undefined) this.#events.forget(redactedNid);
    }
  };

  /** The newest events after one position, up to another, at most `limit` of them. */
  async newest(roomNid: number, after: number, upTo: number, limit: number): Promise<Stretch> {
    const { from, places } = await this.#tail(roomNid);
    const end = countUpTo(places, upTo);
    const start = Math.max(countUpTo(places, after), end - limit, 0);
    if (after < from && end - start < limit) return this.#read(roomNid, after, upTo, limit);
    const older = places[start - 1];
    return {
      events: await this.#eventsAt(places.slice(start, end)),
      hasMore: older ? older.position > after : after < from,
    };
  }

  /** The newest event up to a position. */
  async at(roomNid: number, position: number): Promise<StoredEvent | undefined> {
    const { events } = await this.newest(roomNid, startOfTime, position, 1);
    return events[0];
  }

  async #read(roomNid: number, after: number, upTo: number, limit: number): Promise<Stretch> {
    const places = await this.#store.placesBackwards(roomNid, upTo, after, limit + 1);
    return {
      events: await this.#eventsAt(places.slice(0, limit).toReversed()),
      hasMore: places.length > limit,
    };
  }

  #eventsAt(places: readonly TimelinePlace[]): Promise<StoredEvent[]> {
    return this.#events.storedAll(places.map(({ eventNid }) => eventNid));
  }

  async #tail(roomNid: number): Promise<Tail> {
    const known = this.#tails.get(roomNid);
    if (!known) return this.#readTail(roomNid);
    if (known.readChanges === known.changes) return known;
    // A commit that comes while storage is asked is counted, and the tail read again by the next who wants it.
    const { changes, places, from } = known;
    const after = places.at(-1)?.position ?? from;
    const newer = await this.#store.placesBackwards(roomNid, endOfTime, after, maxTailLength);
    if (newer.length === maxTailLength) return this.#readTail(roomNid);
    const all = [...places, ...newer.toReversed()];
    const kept = all.length > maxTailLength ? all.slice(-minTailLength) : all;
    known.places = kept;
    known.from = kept.length < all.length ? (all.at(-kept.length - 1)?.position ?? from) : from;
    known.readChanges = changes;
    return known;
  }

  async #readTail(roomNid: number): Promise<Tail> {
    const tail: Tail = { from: startOfTime, places: [], changes: 0, readChanges: -1 };
    this.#tails.set(roomNid, tail);
    const rows = await this.#store.placesBackwards(roomNid, endOfTime, startOfTime, minTailLength + 1);
    tail.places = rows.slice(0, minTailLength).toReversed();
    tail.from = rows[minTailLength]?.position ?? startOfTime;
    tail.readChanges = 0;
    return tail;
  }
}

/** How many places lie up to a position; they are in order. */
function countUpTo(places: readonly TimelinePlace[], position: number): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((places[middle]?.position ?? 0) <= position) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The state that a room is in once an event is part of it. */
export function roomStateAfter({ roomState, stateAfter }: StoredEvent): number | null {
  return roomState ?? stateAfter;
}
