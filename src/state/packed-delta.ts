import { VarintReader } from "./delta.ts";

/** Stands for an event where a pair is gone. */
const gone = -1;

/**
 * A delta, kept in 16 bytes for each entry and searched by pair. Typed arrays would take no less for an entry and 330 bytes
 * more for themselves, and most deltas have one entry.
 */
export class PackedDelta {
  /** Ascending. */
  readonly #pairs: readonly number[];
  readonly #events: readonly number[];
  /** The greatest integer of an event in it. */
  readonly newestNid: number;

  private constructor(pairs: readonly number[], events: readonly number[], newestNid: number) {
    this.#pairs = pairs;
    this.#events = events;
    this.newestNid = newestNid;
  }

  /** @param bytes as `encodeDelta` makes them */
  static decode(bytes: Uint8Array): PackedDelta {
    const reader = new VarintReader(bytes);
    const size = reader.count() / 2;
    const pairs = Array.from({ length: size }, () => 0);
    const events = Array.from({ length: size }, () => 0);
    let [pair, newest] = [0, gone];
    for (let index = 0; index < size; index++) {
      pair += reader.next();
      const event = reader.next() - 1;
      pairs[index] = pair;
      events[index] = event;
      if (event > newest) newest = event;
    }
    return new PackedDelta(pairs, events, newest);
  }

  /** What it takes of memory, in 16 bytes each: its entries, and about as much as 16 of them beside. */
  get cacheSize(): number {
    return this.#pairs.length + 16;
  }

  /** The pairs, ascending. */
  pairs(): Iterable<number> {
    return this.#pairs.values();
  }

  /** The entry of a pair: its event, or `undefined` where it is gone. Without an entry there is no answer at all. */
  entry(pair: number): { readonly event: number | undefined } | undefined {
    let [low, high] = [0, this.#pairs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#pairs[middle] ?? Number.POSITIVE_INFINITY) < pair) low = middle + 1;
      else high = middle;
    }
    if (this.#pairs[low] !== pair) return undefined;
    const event = this.#events[low] ?? gone;
    return { event: event === gone ? undefined : event };
  }

  *entries(): Iterable<readonly [pair: number, event: number | undefined]> {
    for (let index = 0; index < this.#pairs.length; index++) {
      const event = this.#events[index] ?? gone;
      yield [this.#pairs[index] ?? 0, event === gone ? undefined : event];
    }
  }

  /** The entries whose event has a greater integer than this one. */
  *above(nid: number): Iterable<readonly [pair: number, event: number]> {
    if (this.newestNid <= nid) return;
    for (const [index, event] of this.#events.entries()) {
      if (event > nid && event !== gone) yield [this.#pairs[index] ?? 0, event];
    }
  }
}

/** The entry of a pair in the first of the deltas that has one. */
export function entryIn(deltas: Iterable<PackedDelta>, pair: number): ReturnType<PackedDelta["entry"]> {
  for (const delta of deltas) {
    const entry = delta.entry(pair);
    if (entry) return entry;
  }
  return undefined;
}
