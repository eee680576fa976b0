import { defineFilter, getFilter } from "../../api/client/filtering.ts";
import type { FilterService } from "../../services/filters.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { JsonChunks } from "../reply.ts";
import { ownUser } from "./path-parameters.ts";

/** Client-server API, "Filtering". */
export function filterHandlers(filters: FilterService): BoundEndpoint[] {
  return [
    handler(defineFilter, async ({ params, body, requester }) => {
      const { userNid } = ownUser(requester, params.userId);
      return { filter_id: await filters.define(userNid, body) };
    }),
    handler(getFilter, async ({ params, requester }) => {
      const { userNid } = ownUser(requester, params.userId);
      return new JsonChunks([await filters.definitionOf(userNid, params.filterId)]);
    }),
  ];
}
