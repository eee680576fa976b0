import { aliasHandlers } from "../http/handlers/aliases.ts";
import { roomHandlers, type RoomServices } from "../http/handlers/rooms.ts";
import { thirdPartyInviteHandlers } from "../http/handlers/third-party-invites.ts";
import type { BoundEndpoint } from "../http/pipeline.ts";
import type { AddressBindings } from "../services/third-party-invites/address-bindings.ts";
import { BlockedRooms } from "../services/rooms/blocked-rooms.ts";
import { GuestAccess } from "../services/rooms/guest-access.ts";
import { InvitePermission } from "../services/rooms/invite-permission.ts";
import type { MemberProfiles } from "../services/rooms/member-profile.ts";
import { RoomProfilePropagation } from "../services/rooms/profile-propagation.ts";
import { ReplacedRooms } from "../services/rooms/replaced-rooms.ts";
import { RestrictedJoin } from "../services/rooms/restricted-join.ts";
import { RoomAccess } from "../services/rooms/room-access.ts";
import { RoomAliases } from "../services/rooms/room-aliases.ts";
import { RoomCreation } from "../services/rooms/room-creation.ts";
import type { RemoteRooms } from "../services/rooms/remote-rooms.ts";
import { RoomMembership } from "../services/rooms/room-membership.ts";
import { RoomSending } from "../services/rooms/room-sending.ts";
import { RoomSuccession } from "../services/rooms/room-succession.ts";
import { CurrentState } from "../state/current-state.ts";
import type { ContactParts } from "./contacts.ts";
import type { Foundation } from "./foundation.ts";
import { composeThirdPartyInvites } from "./third-party-invites.ts";
import type { UserDataParts } from "./user-data.ts";

export interface RoomParts extends RoomServices, AsyncDisposable {
  readonly blocked: BlockedRooms;
  readonly state: CurrentState;
  readonly restricted: RestrictedJoin;
  readonly invites: InvitePermission;
  readonly succession: RoomSuccession;
  readonly bindings: AddressBindings;
  readonly profilePropagation: RoomProfilePropagation;
  readonly handlers: readonly BoundEndpoint[];
}

/** Rooms: creating them, being a member, sending, names. */
export function composeRooms(
  foundation: Foundation,
  { profiles, accountData, pushRules }: UserDataParts,
  contactParts: ContactParts,
  remote: RemoteRooms | undefined,
): RoomParts {
  const { config, stores, names, graph, log, appservices, partialRooms } = foundation;
  const { rooms, events, snapshots } = graph;
  const { memberships } = stores;
  const access = new RoomAccess(rooms, memberships, foundation.memberships);
  const state = new CurrentState({ rooms: stores.rooms, snapshots, events, names });
  const store = stores.accountData;
  const succession = new RoomSuccession({
    rooms,
    state,
    accountData,
    store,
    pushRules,
    memberships,
    names,
    log,
  });
  const replaced = new ReplacedRooms({ rooms, succession, names, log });
  foundation.notifier.follow(["timeline"], replaced.committed);
  const invites = new InvitePermission({
    serverName: config.server_name,
    accountData,
    userDirectory: stores.userDirectory,
    names,
    missing: appservices.queries.users,
    isFederated: remote !== undefined,
  });
  const restricted = new RestrictedJoin({
    rooms,
    state,
    memberships,
    names,
    serverName: config.server_name,
    partialRooms,
  });
  const basic = composeServices(foundation, {
    access,
    state,
    succession,
    invites,
    profiles,
    restricted,
    remote,
  });
  const { membership } = basic;
  const sources = { contactParts, access, state, membership, invites, profiles, remote };
  const thirdParty = composeThirdPartyInvites(foundation, sources);
  const services = { ...basic, ...thirdParty };
  return {
    ...services,
    state,
    restricted,
    invites,
    succession,
    profilePropagation: new RoomProfilePropagation({ membership, memberships, names, log }),
    handlers: [
      ...roomHandlers(services),
      ...thirdPartyInviteHandlers(thirdParty.ownInvitations),
      ...aliasHandlers(services.aliases),
    ],
    async [Symbol.asyncDispose]() {
      await thirdParty.redeemer[Symbol.asyncDispose]();
      await replaced[Symbol.asyncDispose]();
    },
  };
}

interface SharedParts {
  readonly access: RoomAccess;
  readonly state: CurrentState;
  readonly succession: RoomSuccession;
  readonly invites: InvitePermission;
  readonly profiles: MemberProfiles;
  readonly restricted: RestrictedJoin;
  readonly remote: RemoteRooms | undefined;
}

function composeServices(
  { config, stores, names, graph, clock, randomBytes, appservices, log, partialRooms }: Foundation,
  { access, state, succession, invites, profiles, restricted, remote }: SharedParts,
): Omit<RoomServices, "thirdPartyInvites" | "redemption"> & Pick<RoomParts, "blocked"> {
  const { server_name: serverName, default_room_version: defaultVersion } = config;
  const { memberships, rooms: store, events: eventStore, relations } = stores;
  const { writer, rooms } = graph;
  const blocked = new BlockedRooms(stores.blockedRooms, clock);
  const guests = new GuestAccess({ writer, state, memberships, names });
  return {
    blocked,
    access,
    creation: new RoomCreation({
      serverName,
      defaultVersion,
      writer,
      rooms: store,
      names,
      profiles,
      randomBytes,
      invites,
      appservices: appservices.registry,
      remote,
      log,
    }),
    membership: new RoomMembership({
      serverName,
      writer,
      rooms,
      access,
      memberships,
      names,
      profiles,
      restricted,
      guests,
      invites,
      succession,
      blocked,
      noticeRooms: stores.serverNotices,
      remote,
      partialRooms,
    }),
    sending: new RoomSending({
      writer,
      access,
      state,
      eventStore,
      relations,
      rooms: store,
      names,
      sticky: stores.stickyEvents,
      clock,
      guests,
      invites,
      remote,
    }),
    aliases: new RoomAliases({ serverName, store, rooms, access, state, writer, appservices, remote }),
  };
}
