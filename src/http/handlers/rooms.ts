import * as api from "../../api/client/rooms.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { RoomAccess } from "../../services/rooms/room-access.ts";
import type { RoomAliases } from "../../services/rooms/room-aliases.ts";
import type { RoomCreation } from "../../services/rooms/room-creation.ts";
import type { RoomMembership } from "../../services/rooms/room-membership.ts";
import type { RoomSending } from "../../services/rooms/room-sending.ts";
import type { InviteRedemption } from "../../services/third-party-invites/redemption.ts";
import type { ThirdPartyInvites } from "../../services/third-party-invites/third-party-invites.ts";
import { namedRoomId } from "../../services/named-ids.ts";
import type { LocatedRoom } from "../../services/rooms/remote-rooms.ts";
import { type BoundEndpoint, handler } from "../pipeline.ts";
import type { Requester } from "../../auth/requester.ts";
import { findInvitees, inviteeOf, redeemSigned, type SignedInviteJson } from "./third-party-invites.ts";

export interface RoomServices {
  readonly access: RoomAccess;
  readonly creation: RoomCreation;
  readonly membership: RoomMembership;
  readonly sending: RoomSending;
  readonly aliases: RoomAliases;
  readonly thirdPartyInvites: ThirdPartyInvites;
  readonly redemption: InviteRedemption;
}

/** Client-server API, "Rooms": creating them and being a member. */
export function roomHandlers(services: RoomServices): BoundEndpoint[] {
  return [...creationHandlers(services), ...membershipHandlers(services)];
}

function creationHandlers({ creation, thirdPartyInvites }: RoomServices): BoundEndpoint[] {
  return [
    handler(api.createRoom, async ({ requester, body }) => {
      const byAddress = await findInvitees(thirdPartyInvites, body.invite_3pid ?? []);
      const room = await creation.create(requester, {
        visibility: body.visibility ?? "private",
        preset: body.preset,
        version: body.room_version,
        aliasLocalpart: body.room_alias_name,
        name: body.name,
        topic: body.topic,
        invite: [...(body.invite ?? []), ...byAddress.userIds],
        inviteReason: body["uk.timedout.msc4491.invite_reason"],
        isDirect: body.is_direct ?? false,
        creationContent: (body.creation_content ?? {}) as JsonObject,
        initialState: (body.initial_state ?? []).map((event) => ({
          type: event.type,
          stateKey: event.state_key ?? "",
          content: event.content as JsonObject,
        })),
        powerLevelOverride: (body.power_level_content_override ?? {}) as JsonObject,
      });
      await byAddress.leave(requester, room);
      return { room_id: room.roomId };
    }),
  ];
}

function membershipHandlers(services: RoomServices): BoundEndpoint[] {
  const { access, aliases, membership, thirdPartyInvites, redemption } = services;
  const redeem = async (
    requester: Requester,
    { roomId }: LocatedRoom,
    signed: SignedInviteJson | undefined,
  ) => {
    if (signed) await redeemSigned(redemption, requester, roomId, signed);
  };
  return [
    handler(api.joinRoomById, async ({ requester, params, body }) => {
      const located = { roomId: namedRoomId(params.roomId), servers: [] };
      await redeem(requester, located, body.third_party_signed);
      const room = await membership.joinNamed(requester, located, body.reason, joinContent(body));
      return { room_id: room.roomId };
    }),
    handler(api.joinRoom, async ({ requester, params, query, body }) => {
      const located = await aliases.locate(params.roomIdOrAlias, serversOf(query));
      await redeem(requester, located, body.third_party_signed);
      const room = await membership.joinNamed(requester, located, body.reason, joinContent(body));
      return { room_id: room.roomId };
    }),
    handler(api.knockRoom, async ({ requester, params, query, body }) => {
      const located = await aliases.locate(params.roomIdOrAlias, serversOf(query));
      const room = await membership.knock(requester, located, body.reason);
      return { room_id: room.roomId };
    }),
    handler(api.leaveRoom, async ({ requester, params, body }) => {
      await membership.leave(requester, await access.room(params.roomId), body.reason);
      return {};
    }),
    handler(api.forgetRoom, async ({ requester, params }) => {
      await membership.forget(requester, await access.room(params.roomId));
      return {};
    }),
    handler(api.inviteUser, async ({ requester, params, body }) => {
      const { roomId } = params;
      const { user_id: userId, reason } = body;
      if (userId !== undefined) await membership.invite(requester, roomId, userId, reason);
      else if (body.medium === undefined) throw new MatrixError("M_BAD_JSON", "Missing user_id");
      else await thirdPartyInvites.invite(requester, roomId, inviteeOf(body), reason);
      return {};
    }),
    handler(api.kick, async ({ requester, params, body }) => {
      await membership.kick(requester, params.roomId, body.user_id, body.reason, body[api.redactEventsKey]);
      return {};
    }),
    handler(api.ban, async ({ requester, params, body }) => {
      await membership.ban(requester, params.roomId, body.user_id, body.reason, body[api.redactEventsKey]);
      return {};
    }),
    handler(api.unban, async ({ requester, params, body }) => {
      await membership.unban(requester, params.roomId, body.user_id, body.reason);
      return {};
    }),
  ];
}

/** "`via`: the servers to attempt to join the room through"; clients of older releases say `server_name`. */
function serversOf(query: {
  readonly via?: readonly string[];
  readonly server_name?: readonly string[];
}): readonly string[] {
  return [...(query.via ?? []), ...(query.server_name ?? [])];
}

/** What a client wants in its member event beside what the specification has: other servers take the body for that, too. */
function joinContent(body: object): JsonObject {
  const { reason: _reason, third_party_signed: _signed, ...content } = body as JsonObject;
  return content;
}
