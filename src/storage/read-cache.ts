import type { LRUCache } from "lru-cache";
import { boundedCache } from "../cache/bounded-cache.ts";

/**
 * Values that are read from storage and then kept in memory until somebody writes them. It keeps promises, so that a
 * value that is being read while it is written is not kept: `forget` after a write's commit drops it either way.
 */
export class ReadCache<Key extends string | number, Value> {
  readonly #read: (key: Key) => Promise<Value>;
  readonly #values: LRUCache<Key, Promise<Value>>;

  /** @param max the most keys to keep; those used least recently go first */
  constructor(max: number, read: (key: Key) => Promise<Value>) {
    this.#read = read;
    this.#values = boundedCache(max);
  }

  get(key: Key): Promise<Value> {
    const known = this.#values.get(key);
    if (known) return known;
    const reading = this.#read(key);
    this.#values.set(key, reading);
    reading.catch(() => {
      if (this.#values.peek(key) === reading) this.#values.delete(key);
    });
    return reading;
  }

  /** To be called after every write of the key's value. */
  forget(key: Key): void {
    this.#values.delete(key);
  }
}
