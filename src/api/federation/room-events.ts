import { Type } from "../../schema/type.ts";
import { serverEndpoint } from "../endpoint.ts";

const eventId = Type.String({ maxLength: 255 });
const limit = Type.Integer({ minimum: 0 });

/** Server-server API, "Retrieving events". */
export const getEvent = serverEndpoint({
  operationId: "getEvent",
  method: "GET",
  path: "/event/{eventId}",
  versions: ["v1"],
});

export const getRoomState = serverEndpoint({
  operationId: "getRoomState",
  method: "GET",
  path: "/state/{roomId}",
  versions: ["v1"],
  query: Type.Object({ event_id: eventId }),
});

export const getRoomStateIds = serverEndpoint({
  operationId: "getRoomStateIds",
  method: "GET",
  path: "/state_ids/{roomId}",
  versions: ["v1"],
  query: Type.Object({ event_id: eventId }),
});

export const getEventAuth = serverEndpoint({
  operationId: "getEventAuth",
  method: "GET",
  path: "/event_auth/{roomId}/{eventId}",
  versions: ["v1"],
});

export const getEventByTimestamp = serverEndpoint({
  operationId: "getEventByTimestamp",
  method: "GET",
  path: "/timestamp_to_event/{roomId}",
  versions: ["v1"],
  query: Type.Object({
    ts: Type.Integer(),
    dir: Type.Union([Type.Literal("f"), Type.Literal("b")]),
  }),
});

/** Server-server API, "Backfilling and retrieving missing events". */
export const backfillRoom = serverEndpoint({
  operationId: "backfillRoom",
  method: "GET",
  path: "/backfill/{roomId}",
  versions: ["v1"],
  query: Type.Object({ v: Type.Array(eventId, { minItems: 1, maxItems: 100 }), limit }),
});

export const getMissingPreviousEvents = serverEndpoint({
  operationId: "getMissingPreviousEvents",
  method: "POST",
  path: "/get_missing_events/{roomId}",
  versions: ["v1"],
  body: Type.Object({
    earliest_events: Type.Array(eventId, { maxItems: 100 }),
    latest_events: Type.Array(eventId, { maxItems: 100 }),
    limit: Type.Optional(limit),
    min_depth: Type.Optional(Type.Integer()),
  }),
});
