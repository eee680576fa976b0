import * as api from "../../api/client/reading.ts";
import type { LiveMemberships } from "../../notifier/live-memberships.ts";
import type { FilterService } from "../../services/filters.ts";
import type { Messages } from "../../services/reading/messages.ts";
import { recursionDepth, type Relations } from "../../services/reading/relations.ts";
import type { RoomStates } from "../../services/reading/room-states.ts";
import type { SingleEvents } from "../../services/reading/single-events.ts";
import type { Threads } from "../../services/reading/threads.ts";
import type { RoomIndex } from "../../state/room-index.ts";
import { streamToken } from "../../timeline/stream-token.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { JsonChunks } from "../reply.ts";
import {
  closestEventBody,
  contextBody,
  jsonArray,
  messagesBody,
  noSuchEvent,
  positionFrom,
} from "./timeline-bodies.ts";

export interface ReadingServices {
  readonly messages: Messages;
  readonly single: SingleEvents;
  readonly states: RoomStates;
  readonly relations: Relations;
  readonly threads: Threads;
  readonly filters: FilterService;
  readonly memberships: LiveMemberships;
  readonly rooms: RoomIndex;
}

/** Client-server API, "Getting events for a room" and what builds on it. */
export function readingHandlers(services: ReadingServices): BoundEndpoint[] {
  return [
    ...timelineHandlers(services),
    ...stateHandlers(services),
    ...relationHandlers(services),
    ...threadHandlers(services),
  ];
}

function timelineHandlers({ messages, single, filters }: ReadingServices): BoundEndpoint[] {
  return [
    handler(api.getRoomEvents, async ({ requester, params, query }) => {
      const page = await messages.page(params.roomId, requester, {
        direction: query.dir,
        from: positionFrom(query.from, "from"),
        to: positionFrom(query.to, "to"),
        limit: query.limit,
        filter: filters.forRoomEvents(query.filter),
      });
      return messagesBody(page);
    }),
    handler(api.getEventContext, async ({ requester, params, query }) => {
      const filter = filters.forRoomEvents(query.filter);
      return contextBody(await single.context(params.roomId, requester, params.eventId, query.limit, filter));
    }),
    handler(api.getOneRoomEvent, async ({ requester, params }) => {
      const event = await single.find(params.roomId, requester, params.eventId);
      if (event === undefined) throw noSuchEvent();
      return new JsonChunks([event]);
    }),
    handler(api.getEventByTimestamp, async ({ requester, params, query }) =>
      closestEventBody(await single.closestInTime(params.roomId, requester, query.ts, query.dir)),
    ),
  ];
}

function stateHandlers({ states, memberships, rooms }: ReadingServices): BoundEndpoint[] {
  return [
    handler(api.getRoomState, async ({ requester, params }) => {
      return new JsonChunks(["[", await states.whole(params.roomId, requester), "]"]);
    }),
    handler(api.getRoomStateWithKey, async ({ requester, params, query }) => {
      const { roomId, eventType, stateKey } = params;
      return new JsonChunks([
        await states.entry(roomId, requester, eventType, stateKey, query.format ?? "content"),
      ]);
    }),
    handler(api.getRoomStateWithoutKey, async ({ requester, params, query }) => {
      const { roomId, eventType } = params;
      return new JsonChunks([
        await states.entry(roomId, requester, eventType, "", query.format ?? "content"),
      ]);
    }),
    handler(api.getMembersByRoom, async ({ requester, params, query }) => {
      const members = await states.members(params.roomId, requester, {
        at: positionFrom(query.at, "at"),
        membership: query.membership,
        notMembership: query.not_membership,
      });
      return new JsonChunks([`{"chunk":[`, members, "]}"]);
    }),
    handler(api.getJoinedMembersByRoom, async ({ requester, params }) => {
      return new JsonChunks([`{"joined":{`, await states.joinedMembers(params.roomId, requester), "}}"]);
    }),
    handler(api.getJoinedRooms, async ({ requester }) => {
      const nids = [...(await memberships.load(requester.userNid))];
      const joined = await Promise.all(nids.map((nid) => rooms.byNid(nid)));
      return { joined_rooms: joined.map(({ roomId }) => roomId) };
    }),
  ];
}

function relationHandlers({ relations }: ReadingServices): BoundEndpoint[] {
  const children = async (
    requester: Parameters<Relations["children"]>[1],
    params: { roomId: string; eventId: string; relType?: string; eventType?: string },
    query: api.RelationsQueryJson,
  ) => {
    const page = await relations.children(params.roomId, requester, params.eventId, {
      relation: params.relType,
      eventType: params.eventType,
      direction: query.dir ?? "b",
      from: positionFrom(query.from, "from"),
      to: positionFrom(query.to, "to"),
      limit: query.limit,
      recurse: query.recurse ?? false,
    });
    const next = page.next === undefined ? "" : `,"next_batch":"${streamToken(page.next)}"`;
    // "The absence of this token means this is the start of the result set."
    const previous = query.from === undefined ? "" : `,"prev_batch":${JSON.stringify(query.from)}`;
    const depth = query.recurse ? `,"recursion_depth":${recursionDepth}` : "";
    return new JsonChunks([`{"chunk":${jsonArray(page.chunk)}${next}${previous}${depth}}`]);
  };
  return [
    handler(api.getRelatingEvents, async ({ requester, params, query }) =>
      children(requester, params, query),
    ),
    handler(api.getRelatingEventsWithRelType, async ({ requester, params, query }) =>
      children(requester, params, query),
    ),
    handler(api.getRelatingEventsWithRelTypeAndEventType, async ({ requester, params, query }) =>
      children(requester, params, query),
    ),
  ];
}

function threadHandlers({ threads }: ReadingServices): BoundEndpoint[] {
  return [
    handler(api.getThreadRoots, async ({ requester, params, query }) => {
      const page = await threads.page(params.roomId, requester, {
        include: query.include ?? "all",
        from: positionFrom(query.from, "from"),
        limit: query.limit,
      });
      const next = page.next === undefined ? "" : `,"next_batch":"${streamToken(page.next)}"`;
      return new JsonChunks([`{"chunk":${jsonArray(page.chunk)}${next}}`]);
    }),
  ];
}
