import type { RoomEventFilterJson } from "../../api/client/filtering.ts";
import type {
  IndexQuery,
  SearchedKey,
  SearchedRoom,
  SearchHit,
  SearchIndex,
} from "../../storage/search-index.ts";
import { parseSearchTerms, type SearchTerms } from "../../storage/search-terms.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import { EventFilter } from "../../sync/event-filter.ts";
import type { Reader } from "../../timeline/reader.ts";
import type { Readers } from "../../timeline/readers.ts";
import { startOfTime } from "../../timeline/room-timelines.ts";
import type { FoundEvent, FoundEvents } from "./found-events.ts";
import type { SearchFollower } from "./search-follower.ts";
import type { SearchedRooms } from "./searched-rooms.ts";
import type { SearchPoint } from "./search-token.ts";

/** What somebody searches for (client-server API, "Server Side Search"). */
export interface SearchRequest {
  readonly term: string;
  readonly keys: readonly SearchedKey[];
  readonly order: "recent" | "rank";
  readonly filter: RoomEventFilterJson;
  /** From where to go on. */
  readonly from: SearchPoint | undefined;
}

export interface SearchPage {
  /** In the order asked for. */
  readonly results: readonly FoundEvent[];
  readonly terms: SearchTerms;
  /** About how many there are in all. */
  readonly count: number;
  /** Absent when there are no more. */
  readonly next: SearchPoint | undefined;
}

/** A search made ready. */
interface PreparedSearch {
  readonly reader: Reader;
  readonly order: SearchPoint["order"];
  readonly terms: SearchTerms;
  readonly filter: EventFilter;
  readonly limit: number;
  readonly query: Omit<IndexQuery, "upTo" | "downTo" | "countLimit">;
}

const defaultLimit = 10;
const maxLimit = 100;
/** Of more matches the newest come first, and by rank only among so many: judging them costs. */
const hitsAtOnce = { recent: 100, rank: 300 } as const;
/** Stretches of which a searcher may see nothing are passed over so often before an answer goes out with what there is. */
const maxStretches = 4;
const countLimit = 2_000;
/** What is new waits so long for a search to find it, at most. */
const maxCatchUpMs = 5_000;
/** Further senders are looked for among what is found. */
const maxSendersInQuery = 20;

export interface SearchParts {
  readonly index: SearchIndex;
  readonly follower: Pick<SearchFollower, "catchUp">;
  readonly rooms: SearchedRooms;
  readonly found: FoundEvents;
  readonly readers: Readers;
  readonly names: NameCache;
  /** The newest position. */
  readonly position: () => number;
}

/**
 * Finds messages. The index says what matches; who may see it, and whether it matches as they see it, is asked of each
 * result in `FoundEvents`.
 */
export class Search {
  readonly #parts: SearchParts;

  constructor(parts: SearchParts) {
    this.#parts = parts;
  }

  async page(user: Omit<Reader, "ignored">, request: SearchRequest): Promise<SearchPage> {
    const search = await this.#prepare(user, request);
    const { terms, query, order } = search;
    const start = request.from ?? { order, upTo: this.#parts.position(), count: 0 };
    if (terms.wanted.length === 0 || query.rooms.length === 0 || query.senderNids?.length === 0) {
      return { results: [], terms, count: 0, next: undefined };
    }
    await this.#parts.follower.catchUp(
      query.rooms.map(({ roomNid }) => roomNid),
      maxCatchUpMs,
    );
    const { results, next, count } = await this.#collect(search, start, request.from === undefined);
    const known = Math.max(count, results.length);
    return { results, terms, count: known, next: next && { ...next, count: known } };
  }

  /** Takes one stretch of matches after the other until a page is full. */
  async #collect(search: PreparedSearch, start: SearchPoint, isFirst: boolean) {
    const { index, found } = this.#parts;
    const results: FoundEvent[] = [];
    let point: SearchPoint = start;
    let { count } = start;
    for (let stretches = 0; stretches < maxStretches; stretches++) {
      const { upTo, downTo = startOfTime, after } = point;
      const counted = isFirst && stretches === 0 ? countLimit : 0;
      const stretch = await index.find({ ...search.query, upTo, downTo, countLimit: counted });
      if (counted > 0) count = stretch.count;
      const hits = inOrder(stretch.hits, search.order).filter(
        (hit) => !after || isAfter(hit, after, search.order),
      );
      const taken = await found.take(search, hits, search.limit - results.length);
      results.push(...taken.events);
      // A later page of the same stretch keeps to its end.
      const end = stretch.reached ?? point.downTo;
      // Clients take it that a full page goes on; the next one is empty then.
      const isFull = results.length === search.limit;
      if (taken.looked < hits.length || (isFull && end === undefined)) {
        const last = hits[taken.looked - 1];
        return {
          results,
          count,
          next: { ...point, ...(end !== undefined && { downTo: end }), ...(last && { after: last }) },
        };
      }
      if (end === undefined) return { results, count, next: undefined };
      const { order, scope } = point;
      point = { order, upTo: end - 1, count, ...(scope && { scope }) };
      if (isFull) break;
    }
    return { results, count, next: point };
  }

  async #prepare(user: Omit<Reader, "ignored">, request: SearchRequest): Promise<PreparedSearch> {
    const { order, keys } = request;
    const reader = await this.#parts.readers.of(user);
    const filter = scoped(request.filter, request.from);
    const terms = parseSearchTerms(request.term);
    const rooms: readonly SearchedRoom[] = await this.#parts.rooms.of(user.userNid, filter);
    return {
      reader,
      order,
      terms,
      filter: new EventFilter(filter),
      limit: Math.max(1, Math.min(filter.limit ?? defaultLimit, maxLimit)),
      query: {
        terms,
        rooms,
        keys,
        senderNids: await this.#senders(filter.senders),
        notSenderNids: [...reader.ignored, ...((await this.#senders(filter.not_senders)) ?? [])].slice(
          0,
          maxSendersInQuery,
        ),
        withUrl: filter.contains_url ?? false,
        limit: hitsAtOnce[order],
        scored: order === "rank",
      },
    };
  }

  /** `null` for too many to ask the index for, and for all. */
  async #senders(userIds: readonly string[] | undefined): Promise<number[] | null> {
    if (!userIds || userIds.length > maxSendersInQuery) return null;
    const nids = await Promise.all(userIds.map((userId) => this.#parts.names.findUser(userId)));
    return nids.filter((nid) => nid !== undefined);
  }
}

/** A filter narrowed down to the group whose results go on. */
function scoped(filter: RoomEventFilterJson, from: SearchPoint | undefined): RoomEventFilterJson {
  if (!from?.scope) return filter;
  const { key, value } = from.scope;
  const only = (names: readonly string[] | undefined) => (!names || names.includes(value) ? [value] : []);
  return key === "room_id"
    ? { ...filter, rooms: only(filter.rooms) }
    : { ...filter, senders: only(filter.senders) };
}

type Place = Pick<SearchHit, "score" | "position">;

/** The best first; of two that are as good, the newer one. */
function inOrder(hits: readonly SearchHit[], order: SearchPoint["order"]): readonly SearchHit[] {
  if (order === "recent") return hits;
  return hits.toSorted((a, b) => b.score - a.score || b.position - a.position);
}

function isAfter(hit: Place, after: Place, order: SearchPoint["order"]): boolean {
  if (order === "recent" || hit.score === after.score) return hit.position < after.position;
  return hit.score < after.score;
}
