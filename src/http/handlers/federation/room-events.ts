import * as api from "../../../api/federation/room-events.ts";
import type { ServedRooms } from "../../../federation/serving/served-rooms.ts";
import type { EventReader } from "../../../state/event-reader.ts";
import type { StoredEvent } from "../../../storage/events.ts";
import type { Clock } from "../../../telemetry/clock.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";
import { JsonChunks } from "../../reply.ts";

export interface RoomEventParts {
  readonly serverName: string;
  readonly rooms: ServedRooms;
  readonly events: Pick<EventReader, "storedAll">;
  readonly clock: Clock;
}

const defaultMissing = 10;
/** So many events of a state are read at a time. */
const chunkSize = 500;

/** Server-server API, "Retrieving events" and "Backfilling and retrieving missing events". */
export function roomEventHandlers(parts: RoomEventParts): BoundEndpoint[] {
  return [...stateHandlers(parts), ...timelineHandlers(parts)];
}

function stateHandlers({ rooms, events }: RoomEventParts): BoundEndpoint[] {
  return [
    handler(api.getRoomState, async ({ requester, params, query }) => {
      const { state, authChain } = await rooms.stateBefore(
        requester.serverName,
        params.roomId,
        query.event_id,
      );
      return new JsonChunks([
        `{"auth_chain":[`,
        ...(await pduChunks(events, authChain)),
        `],"pdus":[`,
        ...(await pduChunks(events, state)),
        "]}",
      ]);
    }),
    handler(api.getRoomStateIds, async ({ requester, params, query }) => {
      const { state, authChain } = await rooms.stateBefore(
        requester.serverName,
        params.roomId,
        query.event_id,
      );
      return { auth_chain_ids: await idsOf(events, authChain), pdu_ids: await idsOf(events, state) };
    }),
    handler(api.getEventAuth, async ({ requester, params }) => {
      const chain = await rooms.authChainOf(requester.serverName, params.roomId, params.eventId);
      return new JsonChunks([`{"auth_chain":[`, ...(await pduChunks(events, chain)), "]}"]);
    }),
  ];
}

function timelineHandlers({ serverName, rooms, clock }: RoomEventParts): BoundEndpoint[] {
  /** The form of a transaction, for those operations that have it. */
  const transaction = (stored: readonly StoredEvent[]) =>
    new JsonChunks([
      `{"origin":${JSON.stringify(serverName)},"origin_server_ts":${clock.nowMs()},"pdus":[${pdusOf(stored)}]}`,
    ]);
  return [
    handler(api.getEvent, async ({ requester, params }) =>
      transaction([await rooms.event(requester.serverName, params.eventId)]),
    ),
    handler(api.getEventByTimestamp, async ({ requester, params, query }) => {
      const { eventId, originServerTs } = await rooms.closestInTime(
        requester.serverName,
        params.roomId,
        query.ts,
        query.dir,
      );
      return { event_id: eventId, origin_server_ts: originServerTs };
    }),
    handler(api.backfillRoom, async ({ requester, params, query }) =>
      transaction(await rooms.backfill(requester.serverName, params.roomId, query.v, query.limit)),
    ),
    handler(api.getMissingPreviousEvents, async ({ requester, params, body }) => {
      const missing = await rooms.missing(requester.serverName, params.roomId, {
        latest: body.latest_events,
        earliest: body.earliest_events,
        limit: body.limit ?? defaultMissing,
      });
      return new JsonChunks([`{"events":[${pdusOf(missing)}]}`]);
    }),
  ];
}

function pdusOf(stored: readonly StoredEvent[]): string {
  return stored.map(({ common, federation }) => `{${common},${federation}}`).join(",");
}

/** The events as pieces of a JSON list. */
export async function pduChunks(
  events: Pick<EventReader, "storedAll">,
  eventNids: readonly number[],
): Promise<string[]> {
  const chunks: string[] = [];
  for (let start = 0; start < eventNids.length; start += chunkSize) {
    const stored = await events.storedAll(eventNids.slice(start, start + chunkSize));
    chunks.push(`${start === 0 ? "" : ","}${pdusOf(stored)}`);
  }
  return chunks;
}

async function idsOf(
  events: Pick<EventReader, "storedAll">,
  eventNids: readonly number[],
): Promise<string[]> {
  const ids: string[] = [];
  for (let start = 0; start < eventNids.length; start += chunkSize) {
    const stored = await events.storedAll(eventNids.slice(start, start + chunkSize));
    ids.push(...stored.map(({ eventId }) => eventId));
  }
  return ids;
}
