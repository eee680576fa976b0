import { isInviteKeyValid } from "../../api/client/third-party-invites.ts";
import { contactOf } from "../../auth/user-identifier.ts";
import type { Requester } from "../../auth/requester.ts";
import { parseUserId, type RoomId } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { JsonObject } from "../../protocol/json.ts";
import type { OwnInvitations } from "../../services/third-party-invites/own-invitations.ts";
import type { InviteRedemption, SignedInvite } from "../../services/third-party-invites/redemption.ts";
import type {
  ThirdPartyInvitee,
  ThirdPartyInvites,
} from "../../services/third-party-invites/third-party-invites.ts";
import type { Room } from "../../state/room-index.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";

/** What other servers ask about invitations of this one. */
export function thirdPartyInviteHandlers(own: OwnInvitations): BoundEndpoint[] {
  return [
    handler(isInviteKeyValid, async ({ query }) => ({ valid: await own.isKeyValid(query.public_key) })),
  ];
}

export interface InviteeJson {
  readonly medium?: string;
  readonly address?: string;
  readonly id_server?: string;
  readonly id_access_token?: string;
}

/** @throws MatrixError M_BAD_JSON, M_INVALID_PARAM */
export function inviteeOf({
  medium,
  address,
  id_server: server,
  id_access_token: token,
}: InviteeJson): ThirdPartyInvitee {
  const contact = contactOf(medium, address);
  if (server === undefined) return { contact, identity: undefined };
  if (token === undefined)
    throw new MatrixError("M_BAD_JSON", "id_server needs an id_access_token beside it");
  return { contact, identity: { identityServer: server, accessToken: token } };
}

export type SignedInviteJson = JsonObject & {
  readonly mxid: string;
  readonly token: string;
  readonly sender: string;
};

/** A join that begins with a third-party invite (client-server API, `third_party_signed`). */
export async function redeemSigned(
  redemption: InviteRedemption,
  requester: Requester,
  roomId: RoomId,
  signed: SignedInviteJson,
): Promise<void> {
  const { mxid, token, signatures, sender } = signed;
  const inviter = parseUserId(sender);
  if (inviter === undefined) throw new MatrixError("M_INVALID_PARAM", "`sender` is no user ID");
  const proof = { mxid, token, signatures } as SignedInvite;
  await redemption.redeemAnywhere(roomId, requester, inviter, proof);
}

/** The most that one request may invite by their addresses: each is a letter to somebody. */
const maxInvitees = 20;

/** The guests of a new room who are known by addresses: those who could be found, and those who get a letter. */
export async function findInvitees(
  invites: ThirdPartyInvites,
  listed: readonly InviteeJson[],
): Promise<{ userIds: string[]; leave: (creator: Requester, room: Room) => Promise<void> }> {
  if (listed.length > maxInvitees) {
    throw new MatrixError("M_INVALID_PARAM", `invite_3pid takes at most ${maxInvitees} entries`);
  }
  const invitees = listed.map(inviteeOf);
  const found = await Promise.all(
    invitees.map(async (invitee) => ({ invitee, found: await invites.find(invitee) })),
  );
  return {
    userIds: found.flatMap((one) => ("userId" in one.found ? [one.found.userId] : [])),
    async leave(creator, room) {
      for (const {
        invitee,
        found: { ...one },
      } of found) {
        if ("leaveAt" in one) await invites.leave(creator, room, invitee, one.leaveAt);
      }
    },
  };
}
