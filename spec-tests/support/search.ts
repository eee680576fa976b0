import type { TestClient } from "./client.ts";
import type { Json, TestEvent } from "./rooms.ts";

export interface SearchResult {
  readonly rank: number;
  readonly result: TestEvent;
  readonly context?: {
    readonly start: string;
    readonly end: string;
    readonly events_before: TestEvent[];
    readonly events_after: TestEvent[];
    readonly profile_info?: Record<string, Json>;
  };
}

export interface SearchGroup {
  readonly order: number;
  readonly results: string[];
  readonly next_batch?: string;
}

/** `room_events` of an answer to /search. */
export interface SearchAnswer {
  readonly count: number;
  readonly highlights: string[];
  readonly results: SearchResult[];
  readonly next_batch?: string;
  readonly groups?: Record<string, Record<string, SearchGroup>>;
  readonly state?: Record<string, TestEvent[]>;
}

export function postSearch(client: TestClient, body: unknown, nextBatch?: string) {
  const query = nextBatch === undefined ? "" : `?next_batch=${encodeURIComponent(nextBatch)}`;
  return client.post(`/_matrix/client/v3/search${query}`, body, "search");
}

/** @param more further keys of `room_events` */
export async function search(
  client: TestClient,
  term: string,
  more: Json = {},
  nextBatch?: string,
): Promise<SearchAnswer> {
  const roomEvents = { search_term: term, ...more };
  const { status, body } = await postSearch(
    client,
    { search_categories: { room_events: roomEvents } },
    nextBatch,
  );
  if (status !== 200) throw new Error(`search answered ${status}: ${JSON.stringify(body)}`);
  return (body["search_categories"] as { room_events: SearchAnswer }).room_events;
}

/** The event IDs that a search finds, all pages of it. */
export async function searchAll(client: TestClient, term: string, more: Json = {}): Promise<string[]> {
  const found: string[] = [];
  for (let nextBatch: string | undefined; ; ) {
    const answer = await search(client, term, more, nextBatch);
    found.push(...answer.results.map(({ result }) => result.event_id));
    if (answer.next_batch === undefined) return found;
    nextBatch = answer.next_batch;
  }
}
