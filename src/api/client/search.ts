import type { Static } from "typebox";
import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";
import { roomEventFilterSchema } from "./filtering.ts";

const side = Type.Optional(Type.Integer({ minimum: 0 }));

const roomEventsSchema = Type.Object({
  search_term: Type.String({ maxLength: 4_096 }),
  keys: Type.Optional(
    Type.Array(Type.Enum(["content.body", "content.name", "content.topic"]), { maxItems: 10 }),
  ),
  filter: Type.Optional(roomEventFilterSchema),
  order_by: Type.Optional(Type.Enum(["recent", "rank"])),
  event_context: Type.Optional(
    Type.Object({
      before_limit: side,
      after_limit: side,
      include_profile: Type.Optional(Type.Boolean()),
    }),
  ),
  include_state: Type.Optional(Type.Boolean()),
  groupings: Type.Optional(
    Type.Object({
      group_by: Type.Optional(
        Type.Array(Type.Object({ key: Type.Optional(Type.Enum(["room_id", "sender"])) }), { maxItems: 10 }),
      ),
    }),
  ),
});

/** `room_events` of a search. */
export type RoomEventsSearchJson = Static<typeof roomEventsSchema>;

export const search = endpoint({
  operationId: "search",
  method: "POST",
  path: "/search",
  versions: ["v3", "r0"],
  access: "user",
  rateLimit: "default",
  query: Type.Object({ next_batch: Type.Optional(Type.String({ maxLength: 1_024 })) }),
  body: Type.Object({
    search_categories: Type.Object({ room_events: Type.Optional(roomEventsSchema) }),
  }),
});
