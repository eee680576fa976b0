import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { SyncFilterJson } from "../api/client/filtering.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { FilterStore } from "../storage/filters.ts";
import type { EventFilter } from "../sync/event-filter.ts";
import {
  everyEvent,
  everything,
  parseRoomEventFilter,
  parseSyncFilter,
  type SyncFilter,
} from "../sync/filter.ts";
import type { Clock } from "../telemetry/clock.ts";

/** Clients store the same few filters over and over; the same definition has the same ID. */
const maxFiltersPerUser = 200;
/** 132 bits of the definition's hash, which cannot start with the `{` of an inline filter. */
const filterIdLength = 22;
/** Ready filters, by the text that they were made of. Each sync has one, and most clients of a kind share theirs. */
const cachedFilters = 2_000;
const cachedCharacters = 16 * 1024 * 1024;

/** Stored and inline filters, ready for use (client-server API, "Filtering"). */
export class FilterService {
  readonly #store: FilterStore;
  readonly #clock: Clock;
  readonly #syncFilters = filterCache<SyncFilter>();
  readonly #eventFilters = filterCache<EventFilter>();

  constructor(store: FilterStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Stores a filter that has been validated, and returns its ID. */
  async define(userNid: number, json: SyncFilterJson): Promise<string> {
    const definition = JSON.stringify(json);
    const filterId = createHash("sha256").update(definition).digest("base64url").slice(0, filterIdLength);
    if ((await this.#store.find(userNid, filterId)) === undefined) {
      await this.#store.put(userNid, filterId, definition, this.#clock.nowMs(), maxFiltersPerUser);
    }
    return filterId;
  }

  /**
   * A stored filter's definition, as JSON text.
   * @throws MatrixError M_NOT_FOUND.
   */
  async definitionOf(userNid: number, filterId: string): Promise<string> {
    const definition = await this.#store.find(userNid, filterId);
    if (definition === undefined) throw new MatrixError("M_NOT_FOUND", "You have no filter with this ID");
    return definition;
  }

  /**
   * The filter that a sync asks for: none, an inline one, or one that the user has stored.
   * @throws MatrixError M_INVALID_PARAM for an unknown ID, M_NOT_JSON, M_BAD_JSON.
   */
  async forSync(userNid: number, filter: string | undefined): Promise<SyncFilter> {
    if (filter === undefined || filter === "") return everything;
    if (filter.startsWith("{")) return cached(this.#syncFilters, filter, parseSyncFilter);
    const definition = await this.#store.find(userNid, filter);
    if (definition === undefined) throw new MatrixError("M_INVALID_PARAM", "You have no filter with this ID");
    return cached(this.#syncFilters, definition, parseSyncFilter);
  }

  /**
   * The inline filter that a request for a room's events asks for.
   * @throws MatrixError M_NOT_JSON, M_BAD_JSON.
   */
  forRoomEvents(filter: string | undefined): EventFilter {
    if (filter === undefined || filter === "") return everyEvent;
    return cached(this.#eventFilters, filter, parseRoomEventFilter);
  }
}

function filterCache<Filter extends object>(): LRUCache<string, Filter> {
  return new LRUCache<string, Filter>({
    max: cachedFilters,
    maxSize: cachedCharacters,
    sizeCalculation: (_filter, text) => text.length,
  });
}

function cached<Filter extends object>(
  cache: LRUCache<string, Filter>,
  text: string,
  parse: (text: string) => Filter,
): Filter {
  const known = cache.get(text);
  if (known) return known;
  const filter = parse(text);
  cache.set(text, filter);
  return filter;
}
