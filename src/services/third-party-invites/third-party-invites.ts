import type { Requester } from "../../auth/requester.ts";
import { refuseSuspended } from "../../auth/suspension.ts";
import type { Config } from "../../config/schema.ts";
import type { RoomWriter } from "../../ingest/room-writer.ts";
import type { UserId } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { CurrentState } from "../../state/current-state.ts";
import type { Room } from "../../state/room-index.ts";
import type { AccountStore } from "../../storage/accounts.ts";
import type { ContactAddress, ContactStore } from "../../storage/contacts.ts";
import type { IdentityAccess, IdentityServers } from "../contacts/identity-servers.ts";
import type { RoomAccess } from "../rooms/room-access.ts";
import type { RoomMembership } from "../rooms/room-membership.ts";
import { invitationToStore } from "./invite-description.ts";
import type { OwnInvitations } from "./own-invitations.ts";

/** Somebody who is to be invited, known by an address only. */
export interface ThirdPartyInvitee {
  readonly contact: ContactAddress;
  /** The identity server that the client names, and its token there. */
  readonly identity: IdentityAccess | undefined;
}

/** What has come of looking for somebody. */
export type Found =
  | { readonly userId: UserId }
  /** Nobody is known to have the address: an invitation is to be left, there or by this server itself. */
  | { readonly leaveAt: IdentityAccess | "here" };

export interface ThirdPartyInvitesParts {
  readonly policy: Config["third_party_invites"];
  readonly access: RoomAccess;
  readonly state: CurrentState;
  readonly writer: RoomWriter;
  readonly membership: RoomMembership;
  readonly contacts: Pick<ContactStore, "ownerOf">;
  readonly accounts: Pick<AccountStore, "findByNid">;
  readonly identityServers: IdentityServers;
  readonly own: OwnInvitations;
}

/** Inviting people by their addresses (client-server API, "Third-party invites"). */
export class ThirdPartyInvites {
  readonly #parts: ThirdPartyInvitesParts;

  constructor(parts: ThirdPartyInvitesParts) {
    this.#parts = parts;
  }

  /**
   * Invites whoever has an address, or whoever will prove to have it.
   * @throws MatrixError M_FORBIDDEN, M_THREEPID_DENIED, M_SERVER_NOT_TRUSTED, M_MISSING_PARAM, M_LIMIT_EXCEEDED;
   *   IdentityServerError
   */
  async invite(
    requester: Requester,
    roomId: string,
    invitee: ThirdPartyInvitee,
    reason?: string,
  ): Promise<void> {
    const room = await this.#parts.access.joinedRoom(roomId, requester);
    refuseSuspended(requester);
    await this.#checkLevel(requester, room);
    const found = await this.find(invitee);
    if ("userId" in found) await this.#parts.membership.invite(requester, roomId, found.userId, reason);
    else await this.leave(requester, room, invitee, found.leaveAt);
  }

  /**
   * Looks for the user who has an address: among those of this server if it may, and at the identity server.
   * @throws MatrixError M_THREEPID_DENIED, M_SERVER_NOT_TRUSTED, M_MISSING_PARAM; IdentityServerError
   */
  async find({ contact, identity }: ThirdPartyInvitee): Promise<Found> {
    const { policy, contacts, accounts, identityServers } = this.#parts;
    if (policy.find_local_users) {
      const userNid = await contacts.ownerOf(contact);
      const account = userNid === undefined ? undefined : await accounts.findByNid(userNid);
      if (account) return { userId: account.userId };
    }
    const ownIsPossible = policy.by_email && contact.medium === "email";
    if (ownIsPossible && !(identity && identityServers.isTrusted(identity.identityServer.toLowerCase()))) {
      return { leaveAt: "here" };
    }
    if (!identity) throw noWay();
    const access = { ...identity, identityServer: identityServers.trusted(identity.identityServer) };
    const userId = await identityServers.lookUp(access, contact);
    return userId === undefined ? { leaveAt: access } : { userId };
  }

  /**
   * Leaves an invitation for whoever will prove to have an address: the room gets an `m.room.third_party_invite`.
   * @throws MatrixError M_FORBIDDEN, M_LIMIT_EXCEEDED; IdentityServerError
   */
  async leave(
    inviter: Requester,
    room: Room,
    { contact }: ThirdPartyInvitee,
    at: IdentityAccess | "here",
  ): Promise<void> {
    const { own, identityServers, state, writer } = this.#parts;
    if (at === "here") return own.leave(inviter, room, contact);
    const description = await invitationToStore(state, room, inviter.userId, contact);
    const { token, displayName, publicKeys } = await identityServers.storeInvitation(at, description);
    const [first = {}] = publicKeys;
    const fallbackUrl = `https://${at.identityServer}/_matrix/identity/v2/pubkey/isvalid`;
    await writer.sendOne(room, {
      type: "m.room.third_party_invite",
      stateKey: token,
      sender: inviter.userId,
      content: {
        display_name: displayName,
        public_keys: [...publicKeys],
        // For servers from before there were several.
        public_key: first["public_key"] ?? "",
        key_validity_url: first["key_validity_url"] ?? fallbackUrl,
      },
    });
  }

  /** Nobody is written to, and no identity server is asked, for who may not invite anyway. */
  async #checkLevel({ userId }: Requester, room: Room): Promise<void> {
    const levels = await this.#parts.state.powerLevels(room);
    if (levels.userLevel(userId) >= levels.invite) return;
    throw new MatrixError("M_FORBIDDEN", `Inviting to this room takes power level ${levels.invite}`);
  }
}

function noWay(): MatrixError {
  return new MatrixError(
    "M_THREEPID_DENIED",
    "This server cannot find people by their addresses without an identity server: invite them by their user IDs",
  );
}
