import { isInviteKeyValid } from "../api/client/third-party-invites.ts";
import { deriveSecret } from "../auth/server-secret.ts";
import type { RoomAccess } from "../services/rooms/room-access.ts";
import type { InvitePermission } from "../services/rooms/invite-permission.ts";
import type { MemberProfiles } from "../services/rooms/member-profile.ts";
import type { RemoteRooms } from "../services/rooms/remote-rooms.ts";
import type { RoomMembership } from "../services/rooms/room-membership.ts";
import { AddressBindings } from "../services/third-party-invites/address-bindings.ts";
import { InviteKeys } from "../services/third-party-invites/invite-keys.ts";
import { OwnInvitations } from "../services/third-party-invites/own-invitations.ts";
import { InviteRedeemer } from "../services/third-party-invites/redeemer.ts";
import { InviteRedemption } from "../services/third-party-invites/redemption.ts";
import { ThirdPartyInvites } from "../services/third-party-invites/third-party-invites.ts";
import type { CurrentState } from "../state/current-state.ts";
import type { ContactParts } from "./contacts.ts";
import type { Foundation } from "./foundation.ts";

export interface ThirdPartyInviteSources {
  readonly contactParts: ContactParts;
  readonly access: RoomAccess;
  readonly state: CurrentState;
  readonly membership: RoomMembership;
  readonly invites: InvitePermission;
  readonly profiles: MemberProfiles;
  readonly remote: RemoteRooms | undefined;
}

export interface ThirdPartyInviteParts {
  readonly thirdPartyInvites: ThirdPartyInvites;
  readonly redemption: InviteRedemption;
  readonly bindings: AddressBindings;
  readonly ownInvitations: OwnInvitations;
  /** Invites those who have proved addresses, from the start on. */
  readonly redeemer: InviteRedeemer;
}

/** Inviting people by their addresses. */
export function composeThirdPartyInvites(
  foundation: Foundation,
  sources: ThirdPartyInviteSources,
): ThirdPartyInviteParts {
  const { config, stores, graph, names, clock, randomBytes, signingKey, log } = foundation;
  const { contactParts, access, state, membership, invites, profiles, remote } = sources;
  const { identityServers, contacts } = contactParts;
  const { writer, rooms } = graph;
  const serverName = config.server_name;
  const store = stores.thirdPartyInvites;
  const keys = new InviteKeys(deriveSecret(signingKey, "invitations by e-mail"), serverName);
  const keyValidityUrl = `${config.public_base_url}${isInviteKeyValid.path}`;
  const own = new OwnInvitations({
    ...contactParts,
    store,
    keys,
    state,
    writer,
    language: config.email.language,
    keyValidityUrl,
    clock,
    randomBytes,
  });
  const isKeyValid = (url: string, publicKey: string) =>
    url === keyValidityUrl ? own.isKeyValid(publicKey) : identityServers.isKeyValid(url, publicKey);
  const redemption = new InviteRedemption({
    writer,
    state,
    names,
    profiles,
    invites,
    serverName,
    rooms,
    remote,
    isKeyValid,
  });
  const redeemer = new InviteRedeemer({ store, keys, redemption, rooms, names, clock, log });
  contacts.follow(() => redeemer.begin());
  redeemer.begin();
  const thirdPartyInvites = new ThirdPartyInvites({
    policy: config.third_party_invites,
    access,
    state,
    writer,
    membership,
    contacts: stores.contacts,
    accounts: stores.accounts,
    identityServers,
    own,
  });
  const bindings = new AddressBindings(stores.accounts, names, redemption);
  return { thirdPartyInvites, redemption, bindings, ownInvitations: own, redeemer };
}
