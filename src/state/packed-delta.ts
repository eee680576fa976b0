import { VarintReader } from "./delta.ts";

/** Stands for an event where a pair is gone. */
const gone = -1;

/** A delta of many entries, kept in 16 bytes each and searched by pair. */
export class PackedDelta {
  /** Ascending. */
  readonly #pairs: Float64Array;
  readonly #events: Float64Array;
  /** The greatest integer of an event in it. */
  readonly newestNid: number;

  private constructor(pairs: Float64Array, events: Float64Array, newestNid: number) {
    this.#pairs = pairs;
    this.#events = events;
    this.newestNid = newestNid;
  }

  /** @param bytes as `encodeDelta` makes them */
  static decode(bytes: Uint8Array): PackedDelta {
    // Each integer ends with the one byte that is below 128, and an entry has two of them.
    let ends = 0;
    for (const byte of bytes) if (byte < 128) ends += 1;
    const pairs = new Float64Array(ends / 2);
    const events = new Float64Array(ends / 2);
    const reader = new VarintReader(bytes);
    let [pair, newest] = [0, gone];
    for (let index = 0; !reader.atEnd; index++) {
      pair += reader.next();
      const event = reader.next() - 1;
      pairs[index] = pair;
      events[index] = event;
      if (event > newest) newest = event;
    }
    return new PackedDelta(pairs, events, newest);
  }

  get size(): number {
    return this.#pairs.length;
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

  /** The entries whose event has a greater integer than this one. */
  *above(nid: number): Iterable<readonly [pair: number, event: number]> {
    if (this.newestNid <= nid) return;
    for (const [index, event] of this.#events.entries()) {
      if (event > nid && event !== gone) yield [this.#pairs[index] ?? 0, event];
    }
  }
}
