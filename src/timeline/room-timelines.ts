import { boundedCache } from "../cache/bounded-cache.ts";
import type { EventReader } from "../state/event-reader.ts";
import type { EventStore, StoredEvent, TimelinePlace } from "../storage/events.ts";
import type { StreamChange } from "../storage/streams.ts";

/** A stretch of a room's timeline, oldest event first. */
export interface Stretch {
  readonly events: readonly StoredEvent[];
  /** Whether there are older events in the range that was asked for. */
  readonly hasMore: boolean;
  /** Whether the older ones are missing that come right before these: other servers may have them. */
  readonly followsGap: boolean;
}

/** The newest places of a room's timeline: all that lie after `from`, oldest first. */
interface Tail {
  from: number;
  places: TimelinePlace[];
  /** Where events are missing; see `EventStore.gaps`. */
  gaps: readonly number[];
  /** How many commits have changed the room since the tail is kept, and how many of them have been read. */
  changes: number;
  readChanges: number;
  reading: Promise<void> | undefined;
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
  readonly #store: Pick<EventStore, "placesBackwards" | "gaps">;
  readonly #events: Pick<EventReader, "storedAll" | "forget">;
  readonly #tails = boundedCache<number, Tail>(cachedTails);

  constructor(
    store: Pick<EventStore, "placesBackwards" | "gaps">,
    events: Pick<EventReader, "storedAll" | "forget">,
  ) {
    this.#store = store;
    this.#events = events;
  }

  /** To be told of each commit before its position becomes visible. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { stream, nid, position, eventNid, redactedNid, isHistory, restatedNids } of changes) {
      if (stream !== "timeline") continue;
      const tail = this.#tails.peek(nid);
      if (tail && isHistory) this.#tails.delete(nid);
      else if (tail && !(eventNid !== undefined && append(tail, { eventNid, position }))) tail.changes++;
      if (redactedNid !== undefined) this.#events.forget(redactedNid);
      for (const restatedNid of restatedNids ?? []) this.#events.forget(restatedNid);
    }
  };

  /** The newest events after one position, up to another, at most `limit` of them. */
  async newest(roomNid: number, after: number, upTo: number, limit: number): Promise<Stretch> {
    const tail = await this.#tail(roomNid);
    const gap = tail.gaps.findLast((position) => position <= upTo && position > after);
    if (gap === undefined)
      return { ...(await this.#stretch(roomNid, tail, after, upTo, limit)), followsGap: false };
    const { events, hasMore } = await this.#stretch(roomNid, tail, gap - 1, upTo, limit);
    return { events, hasMore: true, followsGap: !hasMore };
  }

  /** The same, whatever may be missing in between: for those who pass on each event once, in whatever order. */
  async newestAcrossGaps(
    roomNid: number,
    after: number,
    upTo: number,
    limit: number,
  ): Promise<readonly StoredEvent[]> {
    const { events } = await this.#stretch(roomNid, await this.#tail(roomNid), after, upTo, limit);
    return events;
  }

  /** Positions of a room's events before which events are missing, in ascending order. */
  async gaps(roomNid: number): Promise<readonly number[]> {
    return (await this.#tail(roomNid)).gaps;
  }

  async #stretch(
    roomNid: number,
    { from, places }: Tail,
    after: number,
    upTo: number,
    limit: number,
  ): Promise<Omit<Stretch, "followsGap">> {
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

  async #read(
    roomNid: number,
    after: number,
    upTo: number,
    limit: number,
  ): Promise<Omit<Stretch, "followsGap">> {
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
    const tail = known ?? {
      from: startOfTime,
      places: [],
      gaps: [],
      changes: 0,
      readChanges: -1,
      reading: undefined,
    };
    if (!known) this.#tails.set(roomNid, tail);
    // Everybody in the room may ask at the same moment: one of them reads.
    while (tail.readChanges !== tail.changes) {
      tail.reading ??= this.#catchUp(roomNid, tail).finally(() => {
        tail.reading = undefined;
      });
      await tail.reading;
    }
    return tail;
  }

  async #catchUp(roomNid: number, tail: Tail): Promise<void> {
    // What is committed while storage is asked is counted, and read by the next round.
    const { changes, readChanges, places, from } = tail;
    const after = places.at(-1)?.position ?? from;
    const isFirst = readChanges === -1;
    const wanted = (isFirst ? minTailLength : maxTailLength) + 1;
    const newer = await this.#store.placesBackwards(
      roomNid,
      endOfTime,
      isFirst ? startOfTime : after,
      wanted,
    );
    const isAll = newer.length < wanted;
    tail.places = isAll ? [...places, ...newer.toReversed()] : newer.slice(0, minTailLength).toReversed();
    if (!isAll) tail.from = newer[minTailLength]?.position ?? from;
    shorten(tail);
    tail.gaps = await this.#store.gaps(roomNid);
    tail.readChanges = changes;
    // They are asked for next.
    if (!isFirst) await this.#eventsAt(newer.slice(0, minTailLength));
  }
}

/** Takes up an event at the end. False where the tail lacks what came before it, and has to be read. */
function append(tail: Tail, place: TimelinePlace): boolean {
  if (tail.readChanges !== tail.changes) return false;
  // Storage may have given it before its commit was told.
  if ((tail.places.at(-1)?.position ?? tail.from) < place.position) tail.places.push(place);
  shorten(tail);
  return true;
}

function shorten(tail: Tail): void {
  const { places } = tail;
  if (places.length <= maxTailLength) return;
  tail.from = places.at(-minTailLength - 1)?.position ?? tail.from;
  tail.places = places.slice(-minTailLength);
}

/** How many places lie up to a position; they are in order. */
export function countUpTo(places: readonly TimelinePlace[], position: number): number {
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
