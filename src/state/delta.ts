/** Entries in which a state differs from another: the event of each pair, or `undefined` where the pair is gone. */
export type StateDelta = ReadonlyMap<number, number | undefined>;

/**
 * A delta as bytes: for each pair, in ascending order, the difference to the pair before and the event ID plus one
 * (zero for a pair that is gone), both as variable-length integers. It is decoded as a `PackedDelta`.
 */
export function encodeDelta(delta: StateDelta): Uint8Array {
  const pairs = [...delta.keys()].sort((a, b) => a - b);
  const bytes: number[] = [];
  let previous = 0;
  for (const pair of pairs) {
    pushVarint(bytes, pair - previous);
    const event = delta.get(pair);
    pushVarint(bytes, event === undefined ? 0 : event + 1);
    previous = pair;
  }
  return Uint8Array.from(bytes);
}

/** A set of integer IDs as bytes: ascending differences. */
export function encodeNids(nids: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  let previous = 0;
  for (const nid of [...nids].sort((a, b) => a - b)) {
    pushVarint(bytes, nid - previous);
    previous = nid;
  }
  return Uint8Array.from(bytes);
}

export function decodeNids(bytes: Uint8Array): number[] {
  const nids: number[] = [];
  const reader = new VarintReader(bytes);
  let nid = 0;
  while (!reader.atEnd) {
    nid += reader.next();
    nids.push(nid);
  }
  return nids;
}

/** Seven bits a byte, lowest first; arithmetic instead of bit operators, because IDs may pass 2^31. */
function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}

/** Reads integers as {@link encodeDelta} and {@link encodeNids} write them. */
export class VarintReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#offset >= this.#bytes.length;
  }

  /** How many integers there are: each ends with its one byte below 128. */
  count(): number {
    const bytes = this.#bytes;
    let count = 0;
    for (let offset = 0; offset < bytes.length; offset++) if ((bytes[offset] ?? 0) < 128) count += 1;
    return count;
  }

  next(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.#bytes[this.#offset++];
      if (byte === undefined) throw new RangeError("a stored list of integers is cut short");
      if (byte < 128) return value + byte * factor;
      value += (byte - 128) * factor;
      factor *= 128;
    }
  }
}

/** What has to change in one state to make it another; the event of a pair that goes is `undefined`. */
export function differenceOf(
  earlier: ReadonlyMap<number, number>,
  later: ReadonlyMap<number, number>,
): StateDelta {
  const changes = new Map<number, number | undefined>();
  for (const [pair, event] of later) if (earlier.get(pair) !== event) changes.set(pair, event);
  for (const pair of earlier.keys()) if (!later.has(pair)) changes.set(pair, undefined);
  return changes;
}
