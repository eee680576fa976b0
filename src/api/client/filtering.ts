import type { Static } from "typebox";
import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

const maxListed = 10_000;
/** Every event may be held against every pattern. */
const maxPatterns = 1_000;

const maxProfileFields = 100;

const userIds = Type.Array(Type.String({ pattern: "^@[^:]*:." }), { maxItems: maxListed });
const roomIds = Type.Array(Type.String({ pattern: "^!." }), { maxItems: maxListed });
const patterns = Type.Array(Type.String(), { maxItems: maxPatterns });

const eventFilterKeys = {
  limit: Type.Optional(Type.Integer({ minimum: 0 })),
  senders: Type.Optional(userIds),
  not_senders: Type.Optional(userIds),
  types: Type.Optional(patterns),
  not_types: Type.Optional(patterns),
};

/** Client-server API, "Filtering": `EventFilter`. */
const eventFilterSchema = Type.Object(eventFilterKeys);

/** Client-server API, "Filtering": `RoomEventFilter`. */
export const roomEventFilterSchema = Type.Object({
  ...eventFilterKeys,
  rooms: Type.Optional(roomIds),
  not_rooms: Type.Optional(roomIds),
  contains_url: Type.Optional(Type.Boolean()),
  lazy_load_members: Type.Optional(Type.Boolean()),
  include_redundant_members: Type.Optional(Type.Boolean()),
  unread_thread_notifications: Type.Optional(Type.Boolean()),
  // Events that others relate to (MSC3440), as /messages uses them for lists of threads.
  related_by_senders: Type.Optional(userIds),
  related_by_rel_types: Type.Optional(patterns),
  // Events by how they relate to others (MSC3874).
  "org.matrix.msc3874.rel_types": Type.Optional(patterns),
  "org.matrix.msc3874.not_rel_types": Type.Optional(patterns),
});

/** Client-server API, "Filtering": `Filter`. */
export const syncFilterSchema = Type.Object({
  event_fields: Type.Optional(patterns),
  event_format: Type.Optional(Type.Enum(["client", "federation"])),
  presence: Type.Optional(eventFilterSchema),
  account_data: Type.Optional(eventFilterSchema),
  // Fields of profiles (MSC4429).
  "org.matrix.msc4429.profile_fields": Type.Optional(
    Type.Object({ ids: Type.Optional(Type.Array(Type.String(), { maxItems: maxProfileFields })) }),
  ),
  room: Type.Optional(
    Type.Object({
      rooms: Type.Optional(roomIds),
      not_rooms: Type.Optional(roomIds),
      include_leave: Type.Optional(Type.Boolean()),
      timeline: Type.Optional(roomEventFilterSchema),
      state: Type.Optional(roomEventFilterSchema),
      ephemeral: Type.Optional(roomEventFilterSchema),
      account_data: Type.Optional(roomEventFilterSchema),
    }),
  ),
});

export type RoomEventFilterJson = Static<typeof roomEventFilterSchema>;
export type SyncFilterJson = Static<typeof syncFilterSchema>;

export const defineFilter = endpoint({
  operationId: "defineFilter",
  method: "POST",
  path: "/user/{userId}/filter",
  versions: ["v3", "r0"],
  access: "user",
  rateLimit: "default",
  body: syncFilterSchema,
  maxBodyBytes: 65_536,
});

export const getFilter = endpoint({
  operationId: "getFilter",
  method: "GET",
  path: "/user/{userId}/filter/{filterId}",
  versions: ["v3", "r0"],
  access: "user",
  rateLimit: "default",
});
