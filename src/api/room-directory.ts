import { Type } from "../schema/type.ts";

/** Which page of a room directory clients and servers ask for, beside its length, and of which networks. */
export const directoryPage = {
  since: Type.Optional(Type.String()),
  include_all_networks: Type.Optional(Type.Boolean()),
  third_party_instance_id: Type.Optional(Type.String()),
};

/** `PublicRoomsFilter`. */
export const directoryFilter = Type.Optional(
  Type.Object({
    generic_search_term: Type.Optional(Type.String({ maxLength: 1000 })),
    room_types: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Null()]))),
  }),
);
