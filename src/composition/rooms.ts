import { aliasHandlers } from "../http/handlers/aliases.ts";
import { roomHandlers, type RoomServices } from "../http/handlers/rooms.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import { GuestAccess } from "../services/rooms/guest-access.ts";
import { InvitePermission } from "../services/rooms/invite-permission.ts";
import { RoomProfilePropagation } from "../services/rooms/profile-propagation.ts";
import { RestrictedJoin } from "../services/rooms/restricted-join.ts";
import { RoomAccess } from "../services/rooms/room-access.ts";
import { RoomAliases } from "../services/rooms/room-aliases.ts";
import { RoomCreation } from "../services/rooms/room-creation.ts";
import { RoomMembership } from "../services/rooms/room-membership.ts";
import { RoomSending } from "../services/rooms/room-sending.ts";
import { RoomSuccession } from "../services/rooms/room-succession.ts";
import { CurrentState } from "../state/current-state.ts";
import type { Foundation } from "./foundation.ts";
import type { UserDataParts } from "./user-data.ts";

export interface RoomParts extends RoomServices {
  readonly state: CurrentState;
  readonly succession: RoomSuccession;
  readonly profilePropagation: RoomProfilePropagation;
  readonly handlers: readonly BoundEndpoint[];
}

/** Rooms: creating them, being a member, sending, names. */
export function composeRooms(
  foundation: Foundation,
  { profiles, accountData, pushRules }: UserDataParts,
): RoomParts {
  const { config, stores, names, graph, randomBytes } = foundation;
  const { writer, rooms, events, snapshots } = graph;
  const { memberships } = stores;
  const serverName = config.server_name;
  const access = new RoomAccess(rooms, memberships);
  const state = new CurrentState({ rooms: stores.rooms, snapshots, events, names });
  const restricted = new RestrictedJoin({ rooms, state, memberships, names, serverName });
  const guests = new GuestAccess({ writer, state, memberships, names });
  const invites = new InvitePermission(accountData, names);
  const succession = new RoomSuccession({
    rooms,
    state,
    accountData,
    store: stores.accountData,
    pushRules,
    log: foundation.log,
  });
  const services: RoomServices = {
    access,
    creation: new RoomCreation({
      serverName,
      defaultVersion: config.default_room_version,
      writer,
      rooms: stores.rooms,
      names,
      profiles,
      randomBytes,
      invites,
    }),
    membership: new RoomMembership({
      serverName,
      writer,
      rooms,
      access,
      state,
      memberships,
      names,
      profiles,
      restricted,
      guests,
      invites,
      succession,
    }),
    sending: new RoomSending({
      writer,
      access,
      state,
      eventStore: stores.events,
      relations: stores.relations,
      rooms: stores.rooms,
      names,
      guests,
      invites,
    }),
    aliases: new RoomAliases({ serverName, store: stores.rooms, rooms, access, state, writer }),
  };
  const { membership } = services;
  const profilePropagation = new RoomProfilePropagation({
    membership,
    memberships,
    names,
    log: foundation.log,
  });
  return {
    ...services,
    state,
    succession,
    profilePropagation,
    handlers: [...roomHandlers(services), ...aliasHandlers(services.aliases, serverName)],
  };
}
