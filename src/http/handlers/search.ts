import { type RoomEventsSearchJson, search } from "../../api/client/search.ts";
import type { Search } from "../../services/search/search.ts";
import type { AnswerWish, SearchAnswers } from "../../services/search/search-answers.ts";
import { parseSearchToken } from "../../services/search/search-token.ts";
import type { SearchedKey } from "../../storage/search-index.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { JsonChunks } from "../reply.ts";

const keys = { "content.body": "body", "content.name": "name", "content.topic": "topic" } as const;
const allKeys: readonly SearchedKey[] = ["body", "name", "topic"];
const defaultContext = 5;

/** Client-server API, "Server Side Search". */
export function searchHandlers(searches: Search, answers: SearchAnswers): BoundEndpoint[] {
  return [
    handler(search, async ({ requester, query, body }) => {
      const wanted = body.search_categories.room_events;
      if (!wanted) return { search_categories: {} };
      const order = wanted.order_by ?? "rank";
      const page = await searches.page(requester, {
        term: wanted.search_term,
        keys: wanted.keys && wanted.keys.length > 0 ? wanted.keys.map((key) => keys[key]) : allKeys,
        order,
        filter: wanted.filter ?? {},
        from: query.next_batch === undefined ? undefined : parseSearchToken(query.next_batch, order),
      });
      const roomEvents = await answers.write(requester, page, wishOf(wanted));
      return new JsonChunks([`{"search_categories":{"room_events":`, ...roomEvents, "}}"]);
    }),
  ];
}

function wishOf(wanted: RoomEventsSearchJson): AnswerWish {
  const context = wanted.event_context;
  const groupBy = wanted.groupings?.group_by ?? [];
  return {
    context: context && {
      before: context.before_limit ?? defaultContext,
      after: context.after_limit ?? defaultContext,
      withProfiles: context.include_profile ?? false,
    },
    withState: wanted.include_state ?? false,
    groupBy: [...new Set(groupBy.flatMap(({ key }) => (key === undefined ? [] : [key])))],
  };
}
