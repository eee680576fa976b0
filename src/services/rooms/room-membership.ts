import type { ActingUser } from "../../auth/requester.ts";
import { refuseSuspended } from "../../auth/suspension.ts";
import type { RoomWriter } from "../../ingest/room-writer.ts";
import { serverNameOf, type ServerName, type UserId } from "../../protocol/identifiers.ts";
import type { JsonObject } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { PartialRooms } from "../../state/partial-rooms.ts";
import type { Room, RoomIndex } from "../../state/room-index.ts";
import type { Membership, MembershipStore } from "../../storage/memberships.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { ServerNoticeStore } from "../../storage/server-notices.ts";
import type { BlockedRooms } from "./blocked-rooms.ts";
import type { GuestAccess } from "./guest-access.ts";
import type { InvitePermission } from "./invite-permission.ts";
import type { MemberProfiles } from "./member-profile.ts";
import type { LocatedRoom, RemoteRooms } from "./remote-rooms.ts";
import type { RestrictedJoin } from "./restricted-join.ts";
import type { RoomAccess } from "./room-access.ts";
import type { RoomSuccession } from "./room-succession.ts";
import { namedUserId } from "../named-ids.ts";

export interface RoomMembershipParts {
  readonly serverName: ServerName;
  readonly writer: RoomWriter;
  readonly rooms: RoomIndex;
  readonly access: RoomAccess;
  readonly memberships: MembershipStore;
  readonly names: NameCache;
  readonly profiles: MemberProfiles;
  readonly restricted: RestrictedJoin;
  readonly guests: GuestAccess;
  readonly invites: InvitePermission;
  readonly succession: RoomSuccession;
  readonly blocked: Pick<BlockedRooms, "check">;
  readonly noticeRooms: Pick<ServerNoticeStore, "isNoticeRoom">;
  /** Absent where this server talks with no others. */
  readonly remote: RemoteRooms | undefined;
  readonly partialRooms: Pick<PartialRooms, "has">;
}

const maxServersAsked = 20;

/** Joining, inviting, leaving and the rest (client-server API, "Room membership"). The room's rules have the last word. */
export class RoomMembership {
  readonly #parts: RoomMembershipParts;

  constructor(parts: RoomMembershipParts) {
    this.#parts = parts;
  }

  /**
   * Joins a room that may be on other servers only.
   * @param via servers that may be in the room
   * @param extra further content of the member event
   * @throws MatrixError M_NOT_FOUND, M_FORBIDDEN, M_GUEST_ACCESS_FORBIDDEN, M_USER_SUSPENDED, M_UNABLE_TO_GRANT_JOIN,
   *   M_INCOMPATIBLE_ROOM_VERSION
   */
  async joinNamed(
    requester: ActingUser,
    { roomId, servers }: LocatedRoom,
    reason?: string,
    extra: JsonObject = {},
  ): Promise<Room> {
    const { rooms, remote } = this.#parts;
    const known = await rooms.find(roomId);
    if (!remote || (known && (await remote.isHere(known)))) {
      const room = known ?? (await this.#parts.access.room(roomId));
      await this.join(requester, room, reason, extra);
      return room;
    }
    refuseSuspended(requester);
    await this.#parts.blocked.check(roomId);
    if (requester.isGuest)
      throw new MatrixError("M_GUEST_ACCESS_FORBIDDEN", "Guests join rooms of this server only");
    const content = {
      ...(await this.#parts.profiles.memberContent(requester.userNid)),
      ...withoutAuthoriser(extra),
      ...withReason("join", reason),
    };
    const joined = await remote.join(requester, roomId, servers, content);
    // Somebody of this server has come in at the same time.
    if (!joined) return this.joinNamed(requester, { roomId, servers }, reason, extra);
    await this.#parts.succession.joined(requester, joined);
    return joined;
  }

  /**
   * @param extra further content of the member event
   * @throws MatrixError M_FORBIDDEN, M_GUEST_ACCESS_FORBIDDEN, M_USER_SUSPENDED, M_UNABLE_TO_GRANT_JOIN
   */
  async join(requester: ActingUser, room: Room, reason?: string, extra: JsonObject = {}): Promise<void> {
    const { access, guests, profiles, restricted } = this.#parts;
    if ((await access.membership(room, requester)) === "join") return;
    refuseSuspended(requester);
    await this.#parts.blocked.check(room.roomId);
    await guests.check(requester, room);
    const content = {
      ...(await profiles.memberContent(requester.userNid)),
      ...withoutAuthoriser(extra),
      ...withReason("join", reason),
    };
    if (this.#parts.partialRooms.has(room.roomNid)) {
      await this.#joinUnknown(requester, room, content);
    } else {
      try {
        const authoriser = await restricted.authoriser(room, requester.userId);
        await this.#joinHere(requester, room, content, authoriser);
      } catch (error) {
        if (!(error instanceof MatrixError) || error.errcode !== "M_UNABLE_TO_GRANT_JOIN") throw error;
        await this.#joinVouched(requester, room, content, error);
      }
    }
    await this.#parts.succession.joined(requester, room);
  }

  /** Of a room whose members are not all known here it is for other servers to tell whether the user is banned or invited. */
  async #joinUnknown(requester: ActingUser, room: Room, content: JsonObject): Promise<void> {
    const { remote } = this.#parts;
    if (!remote)
      throw new MatrixError("M_FORBIDDEN", "The room is on other servers, and this one talks with none");
    const servers = await remote.serversOf(room);
    await remote.joinVouched(requester, room, servers.slice(0, maxServersAsked), content);
  }

  async #joinHere(
    requester: ActingUser,
    room: Room,
    content: JsonObject,
    authoriser: UserId | undefined,
  ): Promise<void> {
    const vouched = authoriser === undefined ? {} : { join_authorised_via_users_server: authoriser };
    const joined = { ...content, ...vouched };
    await this.#set(requester, room, requester.userId, joined, (membership) => membership !== "join");
  }

  /** Somebody of another server lets the user in, if there is one who may. */
  async #joinVouched(
    requester: ActingUser,
    room: Room,
    content: JsonObject,
    refusal: MatrixError,
  ): Promise<void> {
    const { remote, restricted } = this.#parts;
    const servers = remote ? await restricted.grantingServers(room) : [];
    if (!remote || servers.length === 0) throw refusal;
    await remote.joinVouched(requester, room, servers, content);
  }

  /** @throws MatrixError M_NOT_FOUND, M_FORBIDDEN, M_USER_SUSPENDED */
  async knock(requester: ActingUser, { roomId, servers }: LocatedRoom, reason?: string): Promise<Room> {
    const { rooms, remote, access, profiles } = this.#parts;
    refuseSuspended(requester);
    const profile = await profiles.memberContent(requester.userNid);
    const content = { ...profile, ...withReason("knock", reason) };
    const known = await rooms.find(roomId);
    if (remote && !(known && (await remote.isHere(known)))) {
      return remote.knock(requester, roomId, servers, content);
    }
    const room = known ?? (await access.room(roomId));
    await this.#set(requester, room, requester.userId, content);
    return room;
  }

  /** @throws MatrixError M_FORBIDDEN, M_INVITE_BLOCKED, M_USER_SUSPENDED, M_INVALID_PARAM */
  async invite(requester: ActingUser, roomId: string, target: string, reason?: string): Promise<void> {
    const room = await this.#parts.access.joinedRoom(roomId, requester);
    refuseSuspended(requester);
    const userId = namedUserId(target);
    await this.#parts.invites.check(requester, userId);
    const content = { ...(await this.#profileOf(userId)), ...withReason("invite", reason) };
    const { remote, serverName } = this.#parts;
    if (remote && serverNameOf(userId) !== serverName) {
      await remote.invite(requester.userId, room, userId, content);
      return;
    }
    await this.#set(requester, room, userId, content);
  }

  /**
   * Leaves a room, refuses an invite or takes a knock back.
   * @throws MatrixError M_FORBIDDEN, M_CANNOT_LEAVE_SERVER_NOTICE_ROOM
   */
  async leave(requester: ActingUser, room: Room, reason?: string): Promise<void> {
    const { userId } = requester;
    const { remote } = this.#parts;
    if (remote && !(await remote.isHere(room))) {
      await this.#leaveRemote(remote, requester, room, reason);
      return;
    }
    const isForNotices = await this.#parts.noticeRooms.isNoticeRoom(room.roomNid);
    await this.#set(requester, room, userId, withReason("leave", reason), (membership) => {
      if (membership === undefined || membership === "ban") throw notInRoom(userId);
      // "Attempting to reject the invite must result in a M_CANNOT_LEAVE_SERVER_NOTICE_ROOM error."
      if (membership === "invite" && isForNotices) throw cannotRefuse();
      return membership !== "leave";
    });
  }

  /** Refuses an invite or takes a knock back, in a room in which nobody of this server is. */
  async #leaveRemote(remote: RemoteRooms, requester: ActingUser, room: Room, reason?: string): Promise<void> {
    const membership = await this.#parts.access.membership(room, requester);
    if (membership === "leave") return;
    if (membership === undefined || membership === "ban") throw notInRoom(requester.userId);
    await remote.leave(requester, room, withReason("leave", reason));
  }

  /**
   * @param redactEvents whether to redact what the target has sent (MSC4293)
   * @throws MatrixError M_FORBIDDEN
   */
  async kick(
    requester: ActingUser,
    roomId: string,
    target: string,
    reason?: string,
    redactEvents = false,
  ): Promise<void> {
    const room = await this.#parts.access.joinedRoom(roomId, requester);
    const userId = namedUserId(target);
    const content = withRedaction(withReason("leave", reason), redactEvents);
    await this.#set(requester, room, userId, content, (membership) => {
      if (membership === undefined || membership === "leave" || membership === "ban") throw notInRoom(userId);
      return true;
    });
  }

  /**
   * @param redactEvents whether to redact what the target has sent (MSC4293)
   * @throws MatrixError M_FORBIDDEN
   */
  async ban(
    requester: ActingUser,
    roomId: string,
    target: string,
    reason?: string,
    redactEvents = false,
  ): Promise<void> {
    const room = await this.#parts.access.joinedRoom(roomId, requester);
    const content = withRedaction(withReason("ban", reason), redactEvents);
    await this.#set(requester, room, namedUserId(target), content);
  }

  /** @throws MatrixError M_FORBIDDEN, M_BAD_STATE when the user is not banned */
  async unban(requester: ActingUser, roomId: string, target: string, reason?: string): Promise<void> {
    const room = await this.#parts.access.joinedRoom(roomId, requester);
    const userId = namedUserId(target);
    await this.#set(requester, room, userId, withReason("leave", reason), (membership) => {
      if (membership === "ban") return true;
      throw new MatrixError("M_BAD_STATE", `${userId} is not banned from this room`);
    });
  }

  /** Takes a room that the user has left out of their sight. @throws MatrixError M_NOT_FOUND, M_UNKNOWN */
  async forget(requester: ActingUser, room: Room): Promise<void> {
    const membership = await this.#parts.access.membership(room, requester);
    if (membership === undefined) throw new MatrixError("M_NOT_FOUND", "You have never been in this room");
    if (await this.#parts.memberships.forget(requester.userNid, room.roomNid)) return;
    throw new MatrixError("M_UNKNOWN", "Leave the room before you forget it");
  }

  /** Rewrites a user's member event in one room with their present profile, if they are joined. */
  async refreshProfile(userId: UserId, userNid: number, roomNid: number): Promise<void> {
    const { rooms, writer, profiles } = this.#parts;
    const profile = await profiles.memberContent(userNid);
    await writer.decide(await rooms.byNid(roomNid), async (state) => {
      const member = await state.event("m.room.member", userId);
      if (member?.content["membership"] !== "join") return [];
      const content = { ...lasting(member.content), ...profile };
      return [{ type: "m.room.member", stateKey: userId, sender: userId, content }];
    });
  }

  /** @param isDue whether the member event is to be sent, going by the membership that it would replace */
  async #set(
    { userId: sender }: ActingUser,
    room: Room,
    target: UserId,
    content: JsonObject,
    isDue: (membership: string | undefined) => boolean = () => true,
  ): Promise<void> {
    await this.#parts.writer.decide(room, async (state) =>
      isDue(await state.membership(target))
        ? [{ type: "m.room.member", stateKey: target, sender, content }]
        : [],
    );
  }

  async #profileOf(userId: UserId): Promise<JsonObject> {
    if (serverNameOf(userId) !== this.#parts.serverName) return {};
    const userNid = await this.#parts.names.findUser(userId);
    return userNid === undefined ? {} : this.#parts.profiles.memberContent(userNid);
  }
}

/** Who vouches for a user is found out when they join, and nothing that they or their member event could say later. */
export function withoutAuthoriser({
  join_authorised_via_users_server: _authoriser,
  ...content
}: JsonObject): JsonObject {
  return content;
}

/** What of a join goes on being true: neither the profile of that time, nor why it was, nor who vouched for it. */
function lasting({
  displayname: _name,
  avatar_url: _avatar,
  reason: _reason,
  join_authorised_via_users_server: _authoriser,
  ...content
}: JsonObject): JsonObject {
  return content;
}

function cannotRefuse(): MatrixError {
  return new MatrixError(
    "M_CANNOT_LEAVE_SERVER_NOTICE_ROOM",
    "The server writes to you in this room: the invite to it cannot be refused",
  );
}

function notInRoom(userId: UserId): MatrixError {
  return new MatrixError("M_FORBIDDEN", `${userId} is not in this room`);
}

function withReason(membership: Membership, reason: string | undefined): JsonObject {
  return reason === undefined ? { membership } : { membership, reason };
}

/** Servers and clients that know the key redact what the target has sent (MSC4293). */
function withRedaction(content: JsonObject, redactEvents: boolean): JsonObject {
  return redactEvents ? { ...content, "org.matrix.msc4293.redact_events": true } : content;
}
