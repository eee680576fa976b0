import { Type } from "../../schema/type.ts";
import { endpoint } from "../endpoint.ts";
import { range, roomTypes, shortText, slidingExtensions, texts } from "./sliding-sync.ts";

/** An absent type or state key stands for all. */
const statePatterns = Type.Array(
  Type.Object({ type: Type.Optional(shortText), state_key: Type.Optional(shortText) }),
  { maxItems: 500 },
);

const roomConfig = {
  timeline_limit: Type.Integer({ minimum: 0 }),
  required_state: Type.Object({
    include: Type.Optional(statePatterns),
    exclude: Type.Optional(statePatterns),
    lazy_members: Type.Optional(Type.Boolean()),
  }),
};

const filters = Type.Object({
  is_dm: Type.Optional(Type.Boolean()),
  spaces: Type.Optional(Type.Array(shortText, { maxItems: 100 })),
  is_encrypted: Type.Optional(Type.Boolean()),
  is_invited: Type.Optional(Type.Boolean()),
  room_types: Type.Optional(roomTypes),
  not_room_types: Type.Optional(roomTypes),
  tags: Type.Optional(texts),
  not_tags: Type.Optional(texts),
});

const list = Type.Object({
  ...roomConfig,
  range: Type.Optional(range),
  filters: Type.Optional(filters),
});

/** What has another name here for as long as its proposal is not accepted (MSC4508, MSC4538, MSC4543). */
const { to_device: toDevice, e2ee, typing } = slidingExtensions;

/** MSC4186 as it was merged: everything is in the body, so that browsers need not ask beforehand. */
export const slidingSyncV4 = endpoint({
  operationId: "slidingSyncV4",
  method: "POST",
  path: "/sync",
  versions: ["v4"],
  access: "user",
  guests: true,
  rateLimit: "none",
  body: Type.Object({
    conn_id: Type.Optional(shortText),
    pos: Type.Optional(shortText),
    timeout: Type.Optional(Type.Integer({ minimum: 0 })),
    set_presence: Type.Optional(Type.String()),
    lists: Type.Optional(Type.Record(Type.String(), list)),
    room_subscriptions: Type.Optional(Type.Record(Type.String(), Type.Object(roomConfig))),
    extensions: Type.Optional(
      Type.Object({
        ...slidingExtensions,
        "org.matrix.msc4508.typing": typing,
        "org.matrix.msc4538.to_device": toDevice,
        "org.matrix.msc4543.e2ee": e2ee,
      }),
    ),
  }),
});
