import type { RoomWriter } from "../../ingest/room-writer.ts";
import { serverNameOf, type ServerName, type UserId } from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { RoomEvent } from "../../protocol/pdu.ts";
import type { CurrentState } from "../../state/current-state.ts";
import type { Room } from "../../state/room-index.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { LocalUser } from "../local-user.ts";
import type { InvitePermission } from "../rooms/invite-permission.ts";
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
  /** Whether a key is good, as the address tells that came with it. @throws what cannot be asked */
  readonly isKeyValid: (validityUrl: string, publicKey: string) => Promise<boolean>;
}

const maxKeys = 16;

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
   * Invites a user, unless they are in the room or invited already.
   * @param checkKeys whether the keys' addresses are asked: not for this server's own
   * @throws MatrixError M_FORBIDDEN for an invitation that is none, M_INVITE_BLOCKED
   */
  async redeem(room: Room, user: LocalUser, signed: SignedInvite, checkKeys: boolean): Promise<void> {
    if (signed.mxid !== user.userId) {
      throw new MatrixError("M_FORBIDDEN", "This third-party invite was signed for somebody else");
    }
    const profile = await this.#parts.profiles.memberContent(user.userNid);
    if (checkKeys) await this.#checkKeys(room, signed.token);
    await this.#parts.writer.decide(room, async (state) => {
      const membership = await state.membership(user.userId);
      if (membership === "join" || membership === "invite") return [];
      const invitation = await state.event("m.room.third_party_invite", signed.token);
      const sender = this.#inviterOf(invitation);
      const inviterNid = await this.#parts.names.internUser(sender);
      await this.#parts.invites.check({ userNid: inviterNid }, user.userId);
      const displayName = invitation?.content["display_name"];
      const thirdPartyInvite = {
        display_name: typeof displayName === "string" ? displayName : "",
        signed: { ...signed },
      };
      const content = { ...profile, membership: "invite", third_party_invite: thirdPartyInvite };
      return [{ type: "m.room.member", stateKey: user.userId, sender, content }];
    });
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
