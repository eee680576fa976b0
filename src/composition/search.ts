import { searchHandlers } from "../http/handlers/search.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { FoundEvents } from "../services/search/found-events.ts";
import { Search } from "../services/search/search.ts";
import { SearchAnswers } from "../services/search/search-answers.ts";
import { SearchedRooms } from "../services/search/searched-rooms.ts";
import { SearchFollower } from "../services/search/search-follower.ts";
import { SearchSurroundings } from "../services/search/search-surroundings.ts";
import type { SearchIndex } from "../storage/search-index.ts";
import type { Foundation } from "./foundation.ts";
import type { ReadingParts } from "./reading.ts";
import type { RoomParts } from "./rooms.ts";
import type { TimelineParts } from "./timeline.ts";

export interface SearchComposition extends AsyncDisposable {
  readonly handlers: readonly BoundEndpoint[];
}

export interface SearchSources {
  readonly timeline: TimelineParts;
  readonly reading: ReadingParts;
  readonly rooms: Pick<RoomParts, "succession">;
}

/** The search for messages, unless it is switched off, and the follower that keeps its index up to date. */
export function composeSearch(
  { config, stores, names, graph, notifier, clock, log }: Foundation,
  index: SearchIndex,
  { timeline, reading, rooms: { succession } }: SearchSources,
): SearchComposition {
  if (!config.search.enabled) return { handlers: [], [Symbol.asyncDispose]: () => Promise.resolve() };
  const { rooms, events } = graph;
  const { views, readers, aggregations, erasures, filtering, presenter, members, stateTexts, pace } =
    timeline;
  const { access, pages } = reading;
  const position = () => notifier.position;
  const follower = new SearchFollower({ index, rooms: stores.rooms, position, clock, log });
  notifier.follow(["timeline"], follower.committed);
  const search = new Search({
    index,
    follower,
    rooms: new SearchedRooms(stores.memberships, rooms, succession),
    found: new FoundEvents({ events, views, aggregations, erasures, filtering, names, pace }),
    readers,
    names,
    position,
  });
  const surroundings = new SearchSurroundings({ pages, presenter, members, events });
  const answers = new SearchAnswers({ access, rooms, names, presenter, stateTexts, surroundings, pace });
  return {
    handlers: searchHandlers(search, answers),
    [Symbol.asyncDispose]: () => follower[Symbol.asyncDispose](),
  };
}
