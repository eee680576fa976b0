import type { RoomOutliers } from "../../ingest/room-outliers.ts";
import type { SigningKey } from "../../protocol/ed25519.ts";
import { signEvent } from "../../protocol/event-signing.ts";
import { parseUserId, type ServerName, serverNameOf } from "../../protocol/identifiers.ts";
import type { JsonObject, JsonValue } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { Pdu } from "../../protocol/pdu.ts";
import { EncodedEvent } from "../../protocol/event-encoding.ts";
import { toRoomEvent } from "../../protocol/room-event.ts";
import { roomVersion } from "../../protocol/room-versions.ts";
import type { InvitePermission } from "../../services/rooms/invite-permission.ts";
import type { AccountStore } from "../../storage/accounts.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { RoomParticipation } from "../room-participation.ts";
import { strippedTexts } from "../stripped-state.ts";
import { type PduChecks, refusing } from "./pdu-checks.ts";

export interface InboundInvitesParts {
  readonly serverName: ServerName;
  readonly key: SigningKey;
  readonly checks: PduChecks;
  readonly outliers: RoomOutliers;
  readonly participation: RoomParticipation;
  readonly accounts: Pick<AccountStore, "find">;
  readonly permission: InvitePermission;
  readonly names: NameCache;
}

/** An invite as another server sends it. */
export interface ReceivedInvite {
  readonly roomId: string;
  readonly eventId: string;
  readonly version: string;
  readonly pdu: JsonValue;
  readonly strippedState: readonly JsonValue[];
}

/** Takes invites for users of this server (server-server API, "Inviting to a room"). */
export class InboundInvites {
  readonly #parts: InboundInvitesParts;

  constructor(parts: InboundInvitesParts) {
    this.#parts = parts;
  }

  /**
   * @returns the event with this server's signature
   * @throws MatrixError M_INCOMPATIBLE_ROOM_VERSION, M_BAD_JSON, M_INVALID_PARAM, M_FORBIDDEN, M_INVITE_BLOCKED,
   *   M_NOT_FOUND for a user who is not there
   */
  async receive(origin: ServerName, invite: ReceivedInvite): Promise<JsonObject> {
    const { serverName, key, checks, outliers, participation } = this.#parts;
    const version = roomVersion(invite.version);
    if (!version) {
      throw new MatrixError(
        "M_INCOMPATIBLE_ROOM_VERSION",
        `This server does not know room version ${invite.version.slice(0, 100)}`,
        { room_version: invite.version },
      );
    }
    const { event } = await refusing(() => checks.check(version, invite.pdu));
    if (event.roomId !== invite.roomId || event.eventId !== invite.eventId) {
      throw new MatrixError("M_INVALID_PARAM", "The path names another room or event than the event itself");
    }
    if (event.type !== "m.room.member" || event.content["membership"] !== "invite") {
      throw new MatrixError("M_BAD_JSON", "The event is no invite");
    }
    if (serverNameOf(event.sender) !== origin) {
      throw new MatrixError("M_FORBIDDEN", `${origin} invites in the name of its own users only`);
    }
    await this.#checkInvitee(event.stateKey ?? "", event.sender);
    const signed = signEvent<Pdu>(version, event.pdu, serverName, key);
    const room = await outliers.adopt(event.roomId, version);
    if (room.version.id !== version.id) {
      throw new MatrixError(
        "M_INVALID_PARAM",
        `The room has version ${room.version.id} as this server knows it`,
      );
    }
    // Where this server is in the room, the invite comes like every other event of it.
    if (!(await participation.isJoined(room))) {
      const received = {
        event: toRoomEvent(version, signed, event.eventId),
        encoded: new EncodedEvent(version, signed),
      };
      await outliers.storeMembership(room, received, strippedTexts(invite.strippedState));
    }
    return signed as unknown as JsonObject;
  }

  async #checkInvitee(invitee: string, inviter: string): Promise<void> {
    const { serverName, accounts, permission, names } = this.#parts;
    const userId = parseUserId(invitee);
    if (userId === undefined || serverNameOf(userId) !== serverName) {
      throw new MatrixError("M_INVALID_PARAM", "The invited user is not of this server");
    }
    await permission.check({ userNid: await names.internUser(inviter) }, userId);
    const account = await accounts.find(userId);
    if (!account || account.isDeactivated) {
      throw new MatrixError("M_NOT_FOUND", "There is no such user on this server");
    }
  }
}
