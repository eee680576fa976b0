import type { TokenBuckets } from "../../auth/token-buckets.ts";
import type { RoomOutliers } from "../../ingest/room-outliers.ts";
import type { SigningKey } from "../../protocol/ed25519.ts";
import { signEvent } from "../../protocol/event-signing.ts";
import {
  type EventId,
  parseUserId,
  type RoomId,
  type ServerName,
  serverNameOf,
} from "../../protocol/identifiers.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { Pdu, RoomEvent } from "../../protocol/pdu.ts";
import { EncodedEvent } from "../../protocol/event-encoding.ts";
import { toRoomEvent } from "../../protocol/room-event.ts";
import { type RoomVersion, roomVersion } from "../../protocol/room-versions.ts";
import type { InvitePermission } from "../../services/rooms/invite-permission.ts";
import type { Room } from "../../state/room-index.ts";
import type { BlockedRooms } from "../../services/rooms/blocked-rooms.ts";
import type { AccountStore } from "../../storage/accounts.ts";
import type { EventStore } from "../../storage/events.ts";
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
  readonly blocked: Pick<BlockedRooms, "check">;
  readonly names: NameCache;
  readonly eventStore: Pick<EventStore, "nidOf">;
  /** By inviting server and invited user: each invite leaves a room behind here. */
  readonly limits: TokenBuckets;
}

/** How many a server may send one user: at once, and a minute after that. */
export const inviteLimit = { burst: 30, perSecond: 1 / 60 };
const maxShownEvents = 100;

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
   * @throws MatrixError M_INCOMPATIBLE_ROOM_VERSION, M_INVALID_PARAM, M_FORBIDDEN, M_INVITE_BLOCKED, M_LIMIT_EXCEEDED,
   *   M_NOT_FOUND for a user who is not there
   */
  async receive(origin: ServerName, invite: ReceivedInvite): Promise<JsonObject> {
    const { serverName, key, checks, outliers } = this.#parts;
    const version = knownVersion(invite);
    const named = { version, roomId: invite.roomId as RoomId };
    const { event } = await refusing(() => checks.checkNamed(named, invite.eventId, invite.pdu));
    checkInvite(origin, event);
    await this.#parts.blocked.check(event.roomId);
    await this.#checkInvitee(origin, event.stateKey ?? "", event.sender);
    await this.#checkShownState(version, invite);
    await this.#checkAcl(origin, event.roomId);
    const signed = signEvent<Pdu>(version, event.pdu, serverName, key);
    const room = await outliers.adopt(event.roomId, version);
    const received = {
      event: toRoomEvent(version, signed, event.eventId),
      encoded: new EncodedEvent(version, signed),
    };
    if (room.version.id === version.id) {
      const isDue = () => this.#isNews(room, event.eventId);
      await outliers.storeMembership(room, received, strippedTexts(invite.strippedState), isDue);
      return signed as unknown as JsonObject;
    }
    throw new MatrixError(
      "M_INVALID_PARAM",
      `The room has version ${room.version.id} as this server knows it`,
    );
  }

  /**
   * Where this server is in the room, the invite comes like every other event of it. One that is sent once more is none
   * any more if it has been answered.
   */
  async #isNews(room: Room, eventId: EventId): Promise<boolean> {
    const { participation, eventStore } = this.#parts;
    if (await participation.isJoined(room)) return false;
    return (await eventStore.nidOf(eventId)) === undefined;
  }

  /** The list counts where it is known: where this server is in the room. */
  async #checkAcl(origin: ServerName, roomId: RoomId): Promise<void> {
    const { participation } = this.#parts;
    const room = await participation.find(roomId);
    if (!room || !(await participation.isJoined(room)) || (await participation.admits(room, origin))) return;
    throw new MatrixError("M_FORBIDDEN", `The room's server ACL does not admit ${origin}`);
  }

  /** Where a room's ID is made of its create event, that event has to be shown, whole. The rest is for the eye only. */
  async #checkShownState(version: RoomVersion, { roomId, strippedState }: ReceivedInvite): Promise<void> {
    if (!version.roomIdIsCreateHash) return;
    const create = strippedState
      .slice(0, maxShownEvents)
      .find((event) => isJsonObject(event) && event["type"] === "m.room.create");
    if (create === undefined) {
      throw new MatrixError("M_INVALID_PARAM", "`invite_room_state` lacks the event that has made the room");
    }
    await refusing(() => this.#parts.checks.check(version, create, roomId as RoomId));
  }

  async #checkInvitee(origin: ServerName, invitee: string, inviter: string): Promise<void> {
    const { serverName, accounts, permission, names, limits } = this.#parts;
    const userId = parseUserId(invitee);
    if (userId === undefined || serverNameOf(userId) !== serverName) {
      throw new MatrixError("M_INVALID_PARAM", "The invited user is not of this server");
    }
    const waitMs = limits.take(`${origin} ${userId}`);
    if (waitMs > 0) {
      const details = { retry_after_ms: waitMs };
      throw new MatrixError("M_LIMIT_EXCEEDED", `${userId} has had many invites from ${origin}`, details);
    }
    await permission.check({ userNid: await names.internUser(inviter) }, userId);
    const account = await accounts.find(userId);
    if (!account || account.isDeactivated) {
      throw new MatrixError("M_NOT_FOUND", "There is no such user on this server");
    }
  }
}

/** @throws MatrixError M_INCOMPATIBLE_ROOM_VERSION */
function knownVersion(invite: ReceivedInvite): RoomVersion {
  const version = roomVersion(invite.version);
  if (version) return version;
  const name = invite.version.slice(0, 100);
  throw new MatrixError("M_INCOMPATIBLE_ROOM_VERSION", `This server does not know room version ${name}`, {
    room_version: name,
  });
}

/** @throws MatrixError M_INVALID_PARAM */
function checkInvite(origin: ServerName, event: RoomEvent): void {
  if (event.type !== "m.room.member" || event.content["membership"] !== "invite") {
    throw new MatrixError("M_INVALID_PARAM", "The event is no invite");
  }
  if (serverNameOf(event.sender) !== origin) {
    throw new MatrixError("M_INVALID_PARAM", `The event is not of a user of ${origin}`);
  }
}
