import type { Room } from "../../state/room-index.ts";
import type { EventId, RoomId, ServerName, UserId } from "../../protocol/identifiers.ts";
import type { JsonObject } from "../../protocol/json.ts";
import type { LocalUser } from "../local-user.ts";

/** A room as a request names it. */
export interface LocatedRoom {
  readonly roomId: RoomId;
  /** Servers that may be in it, in the order in which they are tried. */
  readonly servers: readonly ServerName[];
}

/** What users of this server do in rooms in which nobody of this server is: other servers have to do it with them. */
export interface RemoteRooms {
  /**
   * Whether a room can be written to from here: somebody of this server is in it.
   */
  isHere(room: Room): Promise<boolean>;
  /**
   * Joins a room by way of one of its servers. The user is in it afterwards.
   * @param servers that may be in the room, in the order in which they are tried
   * @returns `undefined` when somebody of this server has joined the room meanwhile: the join can be made here then
   * @throws MatrixError M_FORBIDDEN, M_NOT_FOUND, M_INCOMPATIBLE_ROOM_VERSION and what else the servers answer
   */
  join(
    user: LocalUser,
    roomId: RoomId,
    servers: readonly ServerName[],
    content: JsonObject,
  ): Promise<Room | undefined>;
  /**
   * Joins a room in which this server is, with the consent of another server. The user is in it afterwards.
   * @param servers that may let others in
   * @throws MatrixError as `join`
   */
  joinVouched(
    user: LocalUser,
    room: Room,
    servers: readonly ServerName[],
    content: JsonObject,
  ): Promise<void>;
  /** Knocks likewise. @throws MatrixError as `join` */
  knock(user: LocalUser, roomId: RoomId, servers: readonly ServerName[], content: JsonObject): Promise<Room>;
  /** Refuses an invite, or takes a knock back; it holds here though no other server can be told. */
  leave(user: LocalUser, room: Room, content: JsonObject): Promise<void>;
  /** Invites a user of another server. @returns the invite's ID. @throws MatrixError M_FORBIDDEN and what their server answers */
  invite(inviter: UserId, room: Room, userId: UserId, content: JsonObject): Promise<EventId>;
  /**
   * Asks the server of who has invited an address to invite the user who has it (server-server API, "Third-party invites").
   * @param signed the proof of an identity server
   * @throws MatrixError what that server answers
   */
  exchangeInvite(inviter: UserId, roomId: RoomId, userId: UserId, signed: JsonObject): Promise<void>;
  /** Other servers with users in a room, as far as is known here. */
  serversOf(room: Room): Promise<readonly ServerName[]>;
  /** The room of another server's alias, and servers that are in it. @throws MatrixError M_NOT_FOUND */
  resolveAlias(alias: string, server: ServerName): Promise<LocatedRoom>;
}
