import type { BodyOf } from "../../../api/endpoint.ts";
import * as api from "../../../api/federation/third-party-invites.ts";
import { parseUserId, type ServerName, serverNameOf } from "../../../protocol/identifiers.ts";
import { MatrixError } from "../../../protocol/matrix-error.ts";
import type { AddressBindings } from "../../../services/third-party-invites/address-bindings.ts";
import type { InviteRedemption, SignedInvite } from "../../../services/third-party-invites/redemption.ts";
import type { Room } from "../../../state/room-index.ts";
import { type BoundEndpoint, handler } from "../../pipeline.ts";

export interface ThirdPartyInviteHandling {
  readonly bindings: AddressBindings;
  readonly redemption: InviteRedemption;
  /** A room in which this server is and another may take part. @throws MatrixError M_NOT_FOUND, M_FORBIDDEN */
  readonly roomFor: (server: ServerName, roomId: string) => Promise<Room>;
}

/** Server-server API, "Third-party invites". */
export function thirdPartyExchangeHandlers(parts: ThirdPartyInviteHandling): BoundEndpoint[] {
  const { bindings, redemption, roomFor } = parts;
  const takeBinding = async ({ mxid, invites }: BodyOf<typeof api.onBindThirdPartyIdentifier>) => {
    await bindings.bound(
      mxid,
      invites.map(({ mxid: invited, room_id: roomId, sender, signed }) => ({
        mxid: invited,
        roomId,
        sender,
        signed: signed as SignedInvite,
      })),
    );
    return {};
  };
  return [
    handler(api.onBindThirdPartyIdentifier, ({ body }) => takeBinding(body)),
    handler(api.postOnBindThirdPartyIdentifier, ({ body }) => takeBinding(body)),
    handler(api.exchangeThirdPartyInvite, async ({ requester: { serverName }, params, body }) => {
      const { room_id: roomId, state_key: stateKey, sender, content } = body;
      if (roomId !== params.roomId) throw new MatrixError("M_INVALID_PARAM", "The path names another room");
      const userId = parseUserId(stateKey);
      if (userId === undefined || serverNameOf(userId) !== serverName) {
        throw new MatrixError("M_FORBIDDEN", `${serverName} speaks for users of its own only`);
      }
      const room = await roomFor(serverName, roomId);
      const signed = content.third_party_invite.signed as SignedInvite;
      await redemption.redeemForOther(room, userId, sender, signed);
      return {};
    }),
  ];
}
