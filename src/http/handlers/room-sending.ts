import * as api from "../../api/client/room-sending.ts";
import type { QueryOf } from "../../api/endpoint.ts";
import type { Requester } from "../../auth/requester.ts";
import type { JsonObject } from "../../protocol/json.ts";
import {
  type DelayedEvents,
  type DelayRequest,
  refuseLongDelay,
} from "../../services/delayed-events/delayed-events.ts";
import type { RoomSending } from "../../services/rooms/room-sending.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { transactionIdFrom } from "./path-parameters.ts";

type Query = QueryOf<typeof api.sendMessage>;

/** Client-server API, "Sending events to a room" and "Redactions". */
export function roomSendingHandlers(sending: RoomSending, delayed: DelayedEvents): BoundEndpoint[] {
  const sendState = async (requester: Requester, query: Query, event: StateToSend) => {
    const { roomId, type, stateKey, content } = event;
    if (query["org.matrix.msc4140.delay"] !== undefined) return schedule(delayed, requester, query, event);
    const options = {
      stickyDurationMs: query["org.matrix.msc4354.sticky_duration_ms"],
      ...timeOf(requester, query),
    };
    return { event_id: await sending.state(requester, roomId, type, stateKey, content, options) };
  };
  return [
    handler(api.sendMessage, async ({ requester, params, query, body }) => {
      const { roomId, eventType: type } = params;
      const transactionId = transactionIdFrom(params.txnId);
      const content = body as JsonObject;
      if (query["org.matrix.msc4140.delay"] !== undefined) {
        const requestKey = `send ${roomId} ${type} ${transactionId}`;
        return schedule(delayed, requester, query, { roomId, type, content, requestKey });
      }
      const options = {
        transactionId,
        stickyDurationMs: query["org.matrix.msc4354.sticky_duration_ms"],
        ...timeOf(requester, query),
      };
      return { event_id: await sending.message(requester, roomId, type, content, options) };
    }),
    handler(api.setRoomStateWithKey, ({ requester, params, query, body }) => {
      const { roomId, eventType: type, stateKey } = params;
      return sendState(requester, query, { roomId, type, stateKey, content: body as JsonObject });
    }),
    handler(api.setRoomState, ({ requester, params, query, body }) => {
      const { roomId, eventType: type } = params;
      return sendState(requester, query, { roomId, type, stateKey: "", content: body as JsonObject });
    }),
    handler(api.redactEvent, async ({ requester, params, body }) => ({
      event_id: await sending.redact(
        requester,
        params.roomId,
        params.eventId,
        transactionIdFrom(params.txnId),
        body as JsonObject,
      ),
    })),
  ];
}

/** Application service API, "Timestamp massaging": for application services alone. */
export function timeOf(
  { appserviceId }: Requester,
  { ts }: Pick<Query, "ts">,
): { readonly originServerTs?: number } {
  return appserviceId === undefined || ts === undefined ? {} : { originServerTs: ts };
}

type StateToSend = Pick<DelayRequest, "roomId" | "type" | "content"> & { readonly stateKey: string };

/** MSC4140, as clients of today speak it: a longer delay than may be has another errcode than the proposal says now. */
async function schedule(
  delayed: DelayedEvents,
  requester: Requester,
  query: Query,
  event: Omit<DelayRequest, "delayMs" | "stickyDurationMs" | "originServerTs">,
): Promise<object> {
  const delayMs = query["org.matrix.msc4140.delay"] ?? 0;
  refuseLongDelay(delayMs, delayed.limits, "M_UNKNOWN");
  const stickyDurationMs = query["org.matrix.msc4354.sticky_duration_ms"];
  return {
    delay_id: await delayed.schedule(requester, {
      ...event,
      delayMs,
      stickyDurationMs,
      ...timeOf(requester, query),
    }),
  };
}
