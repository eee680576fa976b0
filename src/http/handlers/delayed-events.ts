import * as api from "../../api/client/delayed-events.ts";
import type { QueryOf } from "../../api/endpoint.ts";
import type { Requester } from "../../auth/requester.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { DelayedEventAction, DelayedEvents } from "../../services/delayed-events/delayed-events.ts";
import { namedRoomId } from "../../services/named-ids.ts";
import type { DelayedEvent, DelayedEventPlace, DelayedEventQuery } from "../../storage/delayed-events.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import { Reply } from "../reply.ts";
import type { RequestContext } from "../request.ts";
import { transactionIdFrom } from "./path-parameters.ts";
import { timeOf } from "./room-sending.ts";

type ListQuery = QueryOf<typeof api.getDelayedEvents>;

const pageSize = 100;

/** MSC4140 and MSC4486. */
export function delayedEventHandlers(delayed: DelayedEvents): BoundEndpoint[] {
  const manage = async (
    { params, requester, context }: ManageRequest,
    action: DelayedEventAction,
  ): Promise<object> => {
    const outcome = await delayed.manage(params.delayId, action, requester);
    return outcome === "done" ? {} : conflict(context);
  };
  return [
    handler(api.scheduleDelayedEvent, async ({ requester, params, query, body }) => {
      const { roomId, eventType: type } = params;
      const requestKey = `delayed_event ${roomId} ${type} ${transactionIdFrom(params.txnId)}`;
      const { delay_ms: delayMs, state_key: stateKey } = body;
      const content = body.content as JsonObject;
      const stickyDurationMs = query["org.matrix.msc4354.sticky_duration_ms"];
      const time = timeOf(requester, query);
      const event = { roomId, type, stateKey, content, delayMs, stickyDurationMs, requestKey, ...time };
      return { delay_id: await delayed.schedule(requester, event) };
    }),
    handler(api.getDelayedEvent, async ({ requester, params }) =>
      described(await delayed.get(requester, params.delayId)),
    ),
    handler(api.getDelayedEvents, async ({ requester, query }) => {
      const listQuery = listQueryOf(query, delayed.limits.maxScheduled);
      const events = await delayed.list(requester, listQuery);
      const last = events.at(-1);
      const hasMore = last !== undefined && events.length === listQuery.limit;
      return {
        delayed_events: events.map(described),
        ...(hasMore && { "org.matrix.msc4486.next_batch": placeToken(last) }),
      };
    }),
    handler(api.restartDelayedEvent, (request) => manage(request, "restart")),
    handler(api.sendDelayedEvent, (request) => manage(request, "send")),
    handler(api.cancelDelayedEvent, (request) => manage(request, "cancel")),
    handler(api.updateDelayedEvent, (request) => manage(request, request.body.action)),
  ];
}

interface ManageRequest {
  readonly params: { readonly delayId: string };
  readonly requester: Requester | undefined;
  readonly context: RequestContext;
}

/** Under the unstable paths clients expect events that have ended to be gone: any other answer ends their call. */
function conflict({ path }: RequestContext): Reply {
  if (path.includes("/unstable/")) {
    throw new MatrixError("M_NOT_FOUND", "This delayed event is not scheduled any more");
  }
  return new Reply(409, {
    errcode: "M_UNKNOWN",
    error: "This delayed event has been sent, has been cancelled or has failed",
  });
}

/** A list without parameters is of what is scheduled; with any of MSC4486's it is of everything that they do not exclude. */
function listQueryOf(query: ListQuery, maxScheduled: number): Omit<DelayedEventQuery, "userNid"> {
  const isPlain = Object.keys(query).length === 0;
  const roomId = query["org.matrix.msc4486.room_id"];
  const from = query["org.matrix.msc4486.from"];
  return {
    fromTs: query["org.matrix.msc4486.from_ts"] ?? Number.MIN_SAFE_INTEGER,
    toTs: query["org.matrix.msc4486.to_ts"] ?? Number.MAX_SAFE_INTEGER,
    roomId: roomId === undefined ? undefined : namedRoomId(roomId),
    type: query["org.matrix.msc4486.type"],
    status: isPlain ? "scheduled" : query["org.matrix.msc4486.status"],
    backwards: query["org.matrix.msc4486.dir"] === "b",
    after: from === undefined ? undefined : placeOf(from),
    // Nobody can go on reading a plain list.
    limit: isPlain ? maxScheduled + 1 : pageSize,
  };
}

function placeToken({ sendTs, delayNid }: DelayedEventPlace): string {
  return `${sendTs}_${delayNid}`;
}

function placeOf(token: string): DelayedEventPlace {
  const [, sendTs, delayNid] = /^(-?\d{1,16})_(\d{1,16})$/.exec(token) ?? [];
  if (delayNid !== undefined) return { sendTs: Number(sendTs), delayNid: Number(delayNid) };
  throw new MatrixError("M_INVALID_PARAM", "from is not a token that a list of delayed events has given out");
}

/** With the names that earlier drafts had for the delay and its beginning, which clients still read. */
function described({
  delayId,
  roomId,
  type,
  stateKey,
  delayMs,
  scheduledTs,
  ...event
}: DelayedEvent): object {
  return {
    delay_id: delayId,
    room_id: roomId,
    type,
    ...(stateKey !== null && { state_key: stateKey }),
    delay_ms: delayMs,
    delay: delayMs,
    scheduled_at: scheduledTs,
    running_since: scheduledTs,
    content: JSON.parse(event.content) as JsonObject,
    ...(event.finalisedTs !== null && { finalised_ts: event.finalisedTs }),
    ...(event.eventId !== null && { event_id: event.eventId }),
    ...(event.error !== null && { error: JSON.parse(event.error) as JsonObject }),
  };
}
