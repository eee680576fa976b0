import type { AuditLog } from "../../../admin/audit-log.ts";
import type { RoomMembers } from "../../../admin/room-members.ts";
import type { DescribedDetails, RoomOverviews } from "../../../admin/room-overviews.ts";
import * as api from "../../../api/admin/rooms.ts";
import type { QueryOf } from "../../../api/endpoint.ts";
import type { SpaceHierarchy } from "../../../services/discovery/space-hierarchy.ts";
import type { FilterService } from "../../../services/filters.ts";
import type { RoomOrder, RoomOverview } from "../../../storage/room-overviews.ts";
import { spaceRoomBody } from "../described-rooms.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";
import { JsonChunks } from "../../reply.ts";
import type { ReadingServices } from "../reading.ts";
import { closestEventBody, contextBody, messagesBody, positionFrom } from "../timeline-bodies.ts";
import { audited } from "./audited.ts";
import { pageLinks, pageSize } from "./paging.ts";

export interface RoomAdministrationServices {
  readonly overviews: RoomOverviews;
  readonly members: RoomMembers;
  readonly hierarchy: SpaceHierarchy;
  /** Reads any room as a whole. */
  readonly whole: Pick<ReadingServices, "messages" | "single" | "states">;
  readonly filters: FilterService;
  readonly auditLog: AuditLog;
}

/** Synapse's admin API, "Rooms" and "Edit Room Membership". */
export function roomAdministrationHandlers(services: RoomAdministrationServices): BoundEndpoint[] {
  return [
    ...overviewHandlers(services),
    ...readingHandlers(services),
    ...extremityHandlers(services),
    ...memberHandlers(services),
  ];
}

function overviewHandlers({ overviews, hierarchy }: RoomAdministrationServices): BoundEndpoint[] {
  return [
    handler(api.listRooms, async ({ query }) => {
      const offset = query.from ?? 0;
      const limit = pageSize(query.limit);
      const { rooms, total } = await overviews.list({
        searchTerm: query.search_term,
        isPublic: query.public_rooms,
        isEmpty: query.empty_rooms,
        order: orderOf(query.order_by),
        isReversed: query.dir === "b",
        offset,
        limit,
      });
      return {
        offset,
        rooms: rooms.map(overviewJson),
        total_rooms: total,
        ...pageLinks(offset, limit, total),
      };
    }),
    handler(api.getRoom, async ({ params }) => detailsJson(await overviews.details(params.roomId))),
    handler(api.getRoomMembers, async ({ params }) => overviews.members(params.roomId)),
    handler(api.getRoomHierarchy, async ({ requester, params, query }) => {
      const { rooms, next } = await hierarchy.page({
        roomId: params.roomId,
        userNid: requester.userNid,
        suggestedOnly: false,
        maxDepth: query.max_depth,
        limit: query.limit,
        from: query.from,
        via: [],
      });
      return { rooms: rooms.map(({ room, children }) => spaceRoomBody(room, children)), next_batch: next };
    }),
    handler(api.fetchEvent, async ({ params }) => ({ event: await overviews.event(params.eventId) })),
  ];
}

function readingHandlers({ whole, filters }: RoomAdministrationServices): BoundEndpoint[] {
  const { messages, single, states } = whole;
  return [
    handler(api.getRoomState, async ({ requester, params, query }) => {
      const text =
        query.type === undefined
          ? await states.whole(params.roomId, requester)
          : await states.ofType(params.roomId, requester, query.type);
      return new JsonChunks([`{"state":[`, text, "]}"]);
    }),
    handler(api.getRoomMessages, async ({ requester, params, query }) => {
      const page = await messages.page(params.roomId, requester, {
        direction: query.dir ?? "f",
        from: positionFrom(query.from, "from"),
        to: positionFrom(query.to, "to"),
        limit: query.limit,
        filter: filters.forRoomEvents(query.filter),
      });
      return messagesBody(page);
    }),
    handler(api.getRoomEventContext, async ({ requester, params, query }) => {
      const filter = filters.forRoomEvents(query.filter);
      return contextBody(await single.context(params.roomId, requester, params.eventId, query.limit, filter));
    }),
    handler(api.getRoomEventByTimestamp, async ({ requester, params, query }) =>
      closestEventBody(await single.closestInTime(params.roomId, requester, query.ts, query.dir ?? "f")),
    ),
  ];
}

function extremityHandlers({ overviews, auditLog }: RoomAdministrationServices): BoundEndpoint[] {
  return [
    handler(api.getForwardExtremities, async ({ params }) => {
      const ends = await overviews.extremities(params.roomIdOrAlias);
      return {
        count: ends.length,
        results: ends.map(({ eventId, stateAfter, depth, originServerTs }) => ({
          event_id: eventId,
          state_group: stateAfter,
          depth,
          // When an event came is not kept: this is when its server says that it was sent.
          received_ts: originServerTs,
        })),
      };
    }),
    audited(
      auditLog,
      api.deleteForwardExtremities,
      {
        target: ({ params }) => params.roomIdOrAlias,
        look: async ({ params }) => ({ count: (await overviews.extremities(params.roomIdOrAlias)).length }),
      },
      async ({ params }) => ({ deleted: await overviews.joinBranches(params.roomIdOrAlias) }),
    ),
  ];
}

function memberHandlers({ members, auditLog }: RoomAdministrationServices): BoundEndpoint[] {
  return [
    audited(
      auditLog,
      api.joinRoom,
      {
        target: ({ params }) => params.roomIdOrAlias,
        look: ({ params, body }) => members.standing(params.roomIdOrAlias, body.user_id),
      },
      async ({ requester, params, query, body }) => ({
        room_id: await members.join(requester, params.roomIdOrAlias, query.server_name ?? [], body.user_id),
      }),
    ),
    audited(
      auditLog,
      api.makeRoomAdmin,
      {
        target: ({ params }) => params.roomIdOrAlias,
        look: ({ requester, params, body }) =>
          members.standing(params.roomIdOrAlias, body.user_id ?? requester.userId),
      },
      async ({ requester, params, body }) => {
        await members.makeAdmin(params.roomIdOrAlias, body.user_id ?? requester.userId);
        return {};
      },
    ),
  ];
}

/** Two orders have older names as well. */
function orderOf(name: QueryOf<typeof api.listRooms>["order_by"] = "name"): RoomOrder {
  if (name === "alphabetical") return "name";
  return name === "size" ? "joined_members" : name;
}

function overviewJson(room: RoomOverview) {
  return {
    room_id: room.roomId,
    name: room.name,
    canonical_alias: room.canonicalAlias,
    joined_members: room.joinedMembers,
    joined_local_members: room.joinedLocalMembers,
    version: room.version,
    creator: room.creator,
    encryption: room.encryption,
    federatable: room.isFederatable,
    public: room.isPublic,
    join_rules: room.joinRule,
    guest_access: room.guestAccess,
    history_visibility: room.historyVisibility,
    state_events: room.stateEvents,
    room_type: room.roomType,
  };
}

function detailsJson(room: DescribedDetails) {
  return {
    ...overviewJson(room),
    topic: room.topic,
    avatar: room.avatarUrl,
    joined_local_devices: room.joinedLocalDevices,
    forgotten: room.isForgotten,
    tombstoned: room.isTombstoned,
    replacement_room: room.replacementRoom,
  };
}
