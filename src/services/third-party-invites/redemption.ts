import type { RoomWriter } from "../../ingest/room-writer.ts";
import { type RoomId, serverNameOf, type ServerName, type UserId } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { RoomEvent } from "../../protocol/pdu.ts";
import type { CurrentState } from "../../state/current-state.ts";
import type { Room, RoomIndex } from "../../state/room-index.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { LocalUser } from "../local-user.ts";
import type { InvitePermission } from "../rooms/invite-permission.ts";
import type { RemoteRooms } from "../rooms/remote-rooms.ts";
import type { MemberProfiles } from "../rooms/member-profile.ts";

/** A proof that a user has the address that was invited: `mxid`, `token` and `signatures`. */
export type SignedInvite = JsonObject & { readonly mxid: string; readonly token: string };

export interface RedemptionParts {
  readonly writer: RoomWriter;
  readonly state: CurrentState;
  readonly names: NameCache;
  readonly profiles: MemberProfiles;
  readonly invites: InvitePermission;
  readonly serverName: ServerName;
  readonly rooms: RoomIndex;
  /** Absent where this server talks with no others. */
  readonly remote: Pick<RemoteRooms, "isHere" | "invite" | "exchangeInvite"> | undefined;
  /** Whether a key is good, as the address tells that came with it. @throws what cannot be asked */
  readonly isKeyValid: (validityUrl: string, publicKey: string) => Promise<boolean>;
}

const maxKeys = 16;
/** Whoever is in the room or invited needs no invite. */
const there: ReadonlySet<string | undefined> = new Set(["join", "invite"]);

/**
 * Exchanges an `m.room.third_party_invite` for the invite of a user who has the address (server-server API,
 * "Third-party invites"). Whether the signature is right is for the room's rules to say.
 */
export class InviteRedemption {
  readonly #parts: RedemptionParts;

  constructor(parts: RedemptionParts) {
    this.#parts = parts;
  }

  /**
   * Invites a user to a room wherever it is: the server of who has sent the invitation makes an invite of it.
   * @param sender of the invitation, as far as the caller knows; where the room is here its state counts
   * @throws MatrixError as `redeem`, and what the other server answers
   */
  async redeemAnywhere(roomId: RoomId, user: LocalUser, sender: UserId, signed: SignedInvite): Promise<void> {
    const { rooms, remote, state, serverName } = this.#parts;
    const room = await rooms.find(roomId);
    const isHere = room !== undefined && (!remote || (await remote.isHere(room)));
    const invitation = isHere && (await state.event(room, "m.room.third_party_invite", signed.token));
    if (isHere && !invitation) throw none();
    const inviter = invitation ? invitation.sender : sender;
    if (isHere && serverNameOf(inviter) === serverName) return this.redeem(room, user, signed, true);
    if (isHere && there.has(await state.membership(room, user.userId))) return;
    if (!remote || serverNameOf(inviter) === serverName) {
      throw new MatrixError("M_NOT_FOUND", "This server is not in such a room");
    }
    checkUser(user.userId, signed);
    await remote.exchangeInvite(inviter, roomId, user.userId, signed);
  }

  /**
   * Invites a user of this server, unless they are in the room or invited already.
   * @param checkKeys whether the keys' addresses are asked: not for this server's own
   * @throws MatrixError M_FORBIDDEN for an invitation that is none, M_INVITE_BLOCKED
   */
  async redeem(room: Room, user: LocalUser, signed: SignedInvite, checkKeys: boolean): Promise<void> {
    checkUser(user.userId, signed);
    const profile = await this.#parts.profiles.memberContent(user.userNid);
    if (checkKeys) await this.#checkKeys(room, signed.token);
    await this.#parts.writer.decide(room, async (state) => {
      if (there.has(await state.membership(user.userId))) return [];
      const invitation = await state.event("m.room.third_party_invite", signed.token);
      const sender = this.#inviterOf(invitation);
      const inviterNid = await this.#parts.names.internUser(sender);
      await this.#parts.invites.check({ userNid: inviterNid }, user.userId);
      const content = { ...profile, ...inviteContent(invitation, signed) };
      return [{ type: "m.room.member", stateKey: user.userId, sender, content }];
    });
  }

  /**
   * Invites a user of another server likewise, at that server's request.
   * @param sender whom the other server takes for the inviter
   * @throws MatrixError M_FORBIDDEN for an invitation that is none, and what the other server answers
   */
  async redeemForOther(room: Room, userId: UserId, sender: string, signed: SignedInvite): Promise<void> {
    const { remote, state } = this.#parts;
    checkUser(userId, signed);
    const invitation = await state.event(room, "m.room.third_party_invite", signed.token);
    const inviter = this.#inviterOf(invitation);
    if (!remote || inviter !== sender) throw none();
    await this.#checkKeys(room, signed.token);
    if (there.has(await state.membership(room, userId))) return;
    await remote.invite(inviter, room, userId, inviteContent(invitation, signed));
  }

  /** The invite comes from who sent the invitation, so it takes that user's server. */
  #inviterOf(invitation: RoomEvent | undefined): UserId {
    if (invitation === undefined || keysOf(invitation).length === 0) throw none();
    const { sender } = invitation;
    if (serverNameOf(sender) === this.#parts.serverName) return sender;
    throw new MatrixError(
      "M_FORBIDDEN",
      "This third-party invite has to be redeemed at the inviter's server",
    );
  }

  /** "The homeserver must … perform key validity checking if required by the event." */
  async #checkKeys(room: Room, token: string): Promise<void> {
    const invitation = await this.#parts.state.event(room, "m.room.third_party_invite", token);
    for (const { publicKey, validityUrl } of invitation ? keysOf(invitation) : []) {
      // A key without an address "must be considered valid indefinitely".
      if (validityUrl === undefined || (await this.#parts.isKeyValid(validityUrl, publicKey))) return;
    }
    throw none();
  }
}

/** @throws MatrixError M_FORBIDDEN */
function checkUser(userId: UserId, signed: SignedInvite): void {
  if (signed.mxid === userId) return;
  throw new MatrixError("M_FORBIDDEN", "This third-party invite was signed for somebody else");
}

function inviteContent(invitation: RoomEvent | undefined, signed: SignedInvite): JsonObject {
  const displayName = invitation?.content["display_name"];
  return {
    membership: "invite",
    third_party_invite: {
      display_name: typeof displayName === "string" ? displayName : "",
      signed: { ...signed },
    },
  };
}

function keysOf({ content }: RoomEvent): { publicKey: string; validityUrl: string | undefined }[] {
  const { public_keys: listed } = content;
  const entries = [content, ...(Array.isArray(listed) ? listed : [])].filter(isJsonObject).slice(0, maxKeys);
  return entries.flatMap(({ public_key: publicKey, key_validity_url: validityUrl }) =>
    typeof publicKey === "string"
      ? [{ publicKey, validityUrl: typeof validityUrl === "string" ? validityUrl : undefined }]
      : [],
  );
}

function none(): MatrixError {
  return new MatrixError(
    "M_FORBIDDEN",
    "The room has no such third-party invite, or it is not good any more",
  );
}
