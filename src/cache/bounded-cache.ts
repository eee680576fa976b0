import { LRUCache } from "lru-cache";

/**
 * A cache of at most so many entries; those used least recently go first. It takes memory for what it holds only: told
 * its `max`, lru-cache would set memory for all entries aside at once.
 */
export function boundedCache<Key extends {}, Value extends {}>(maxEntries: number): LRUCache<Key, Value> {
  return new LRUCache({ maxSize: maxEntries, sizeCalculation: () => 1 });
}
