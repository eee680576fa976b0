import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";

export const shortText = Type.String({ maxLength: 255 });
export const texts = Type.Array(shortText, { maxItems: 1_000 });
export const roomTypes = Type.Array(Type.Union([shortText, Type.Null()]), { maxItems: 100 });

const roomConfig = {
  timeline_limit: Type.Integer({ minimum: 0 }),
  required_state: Type.Array(Type.Array(shortText, { minItems: 2, maxItems: 2 }), { maxItems: 500 }),
};

const filters = Type.Object({
  is_dm: Type.Optional(Type.Boolean()),
  spaces: Type.Optional(Type.Array(shortText, { maxItems: 100 })),
  is_encrypted: Type.Optional(Type.Boolean()),
  is_invite: Type.Optional(Type.Boolean()),
  room_types: Type.Optional(roomTypes),
  not_room_types: Type.Optional(roomTypes),
  room_name_like: Type.Optional(shortText),
  tags: Type.Optional(texts),
  not_tags: Type.Optional(texts),
});

export const range = Type.Array(Type.Integer({ minimum: 0 }), { minItems: 2, maxItems: 2 });

const list = Type.Object({
  ...roomConfig,
  ranges: Type.Optional(Type.Array(range, { maxItems: 100 })),
  filters: Type.Optional(filters),
});

const fieldNames = Type.Array(shortText, { maxItems: 100 });
const enabled = Type.Optional(Type.Boolean());
const roomExtension = Type.Object({
  enabled,
  lists: Type.Optional(texts),
  rooms: Type.Optional(texts),
});

/** What extensions may be asked for, by the names that clients of today know. */
export const slidingExtensions = {
  to_device: Type.Optional(
    Type.Object({
      enabled,
      limit: Type.Optional(Type.Integer({ minimum: 0 })),
      since: Type.Optional(shortText),
    }),
  ),
  e2ee: Type.Optional(Type.Object({ enabled })),
  account_data: Type.Optional(roomExtension),
  receipts: Type.Optional(roomExtension),
  typing: Type.Optional(roomExtension),
  "org.matrix.msc4262.profiles": Type.Optional(
    Type.Object({ ...roomExtension.properties, fields: Type.Optional(fieldNames) }),
  ),
  "org.matrix.msc4354.sticky_events": Type.Optional(
    Type.Object({
      enabled,
      limit: Type.Optional(Type.Integer({ minimum: 1 })),
      since: Type.Optional(shortText),
    }),
  ),
  "io.element.msc4308.thread_subscriptions": Type.Optional(
    Type.Object({ enabled, limit: Type.Optional(Type.Integer({ minimum: 1 })) }),
  ),
};

/** MSC4186, with the extensions of MSC3884, MSC3885, MSC3959, MSC3960, MSC3961, MSC4262, MSC4308 and MSC4480. */
export const slidingSync = endpoint({
  operationId: "slidingSync",
  method: "POST",
  path: "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync",
  versions: [],
  access: "user",
  guests: true,
  rateLimit: "none",
  query: Type.Object({
    pos: Type.Optional(shortText),
    timeout: Type.Optional(Type.Integer({ minimum: 0 })),
    set_presence: Type.Optional(Type.Enum(["offline", "online", "unavailable"])),
  }),
  body: Type.Object({
    conn_id: Type.Optional(shortText),
    txn_id: Type.Optional(shortText),
    lists: Type.Optional(Type.Record(Type.String(), list, { maxProperties: 100 })),
    room_subscriptions: Type.Optional(
      Type.Record(Type.String(), Type.Object(roomConfig), { maxProperties: 1_000 }),
    ),
    extensions: Type.Optional(Type.Object(slidingExtensions)),
  }),
});
