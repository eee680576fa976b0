import {
  parseRoomId,
  parseUserId,
  serverNameOf,
  type ServerName,
  type UserId,
} from "../../protocol/identifiers.ts";
import { isJsonObject } from "../../protocol/json.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { CurrentState } from "../../state/current-state.ts";
import type { PartialRooms } from "../../state/partial-rooms.ts";
import type { Room, RoomIndex } from "../../state/room-index.ts";
import type { MembershipRow, MembershipStore } from "../../storage/memberships.ts";
import type { NameCache } from "../../storage/name-cache.ts";

/** Conditions beyond this number are not looked at. */
const maxConditions = 100;
/** Of those with a power level of their own so many are looked at. */
const maxNamedMembers = 500;
/** Members without a power level of their own all have the same. */
const maxOrdinaryMembers = 50;

/** Lets members of other rooms into a room that allows it (room version 8, "Restricted rooms"). */
export class RestrictedJoin {
  readonly #rooms: RoomIndex;
  readonly #state: CurrentState;
  readonly #memberships: MembershipStore;
  readonly #names: NameCache;
  readonly #serverName: ServerName;
  readonly #partialRooms: Pick<PartialRooms, "has">;

  constructor(parts: {
    rooms: RoomIndex;
    state: CurrentState;
    memberships: MembershipStore;
    names: NameCache;
    serverName: ServerName;
    partialRooms: Pick<PartialRooms, "has">;
  }) {
    this.#rooms = parts.rooms;
    this.#state = parts.state;
    this.#memberships = parts.memberships;
    this.#names = parts.names;
    this.#serverName = parts.serverName;
    this.#partialRooms = parts.partialRooms;
  }

  /**
   * The local user on whose authority somebody may join, or `undefined` when the room's rules ask for none: it is not
   * restricted, or the user is invited or joined already.
   * @throws MatrixError M_FORBIDDEN when no condition is met, M_UNABLE_TO_AUTHORISE_JOIN when that cannot be told from
   *   here, M_UNABLE_TO_GRANT_JOIN when nobody here may let them in (server-server API, "Restricted rooms")
   */
  async authoriser(room: Room, userId: UserId): Promise<UserId | undefined> {
    if (!room.version.restrictedJoin) return undefined;
    const joinRules = await this.#state.event(room, "m.room.join_rules", "");
    const rule = joinRules?.content["join_rule"];
    const isRestricted =
      rule === "restricted" || (rule === "knock_restricted" && room.version.knockRestricted);
    if (!isRestricted) return undefined;
    const current = await this.#membership(room, userId);
    if (current?.membership === "join" || current?.membership === "invite") return undefined;
    await this.#checkConditions(joinRules?.content["allow"], userId);
    const authoriser = await this.#memberWhoMayInvite(room);
    if (authoriser === undefined) {
      throw new MatrixError(
        "M_UNABLE_TO_GRANT_JOIN",
        "No member of the room on this server may let others in",
      );
    }
    return authoriser;
  }

  /** Servers of members who may let others in; to be asked where nobody here may. */
  async grantingServers(room: Room): Promise<readonly ServerName[]> {
    const levels = await this.#state.powerLevels(room);
    const servers = new Set<ServerName>();
    for (const userId of levels.namedUsers.slice(0, maxNamedMembers)) {
      if (levels.userLevel(userId) < levels.invite || parseUserId(userId) === undefined) continue;
      const current = await this.#membership(room, userId);
      if (current?.membership === "join") servers.add(serverNameOf(userId as UserId));
    }
    servers.delete(this.#serverName);
    return [...servers];
  }

  async #checkConditions(allow: unknown, userId: UserId): Promise<void> {
    const isLocal = serverNameOf(userId) === this.#serverName;
    let isKnown = true;
    for (const room of await this.#roomsOf(allow)) {
      const isHere = room && (await this.#memberships.localJoinedNids(room.roomNid, 1)).length > 0;
      if (isHere && (await this.#membership(room, userId))?.membership === "join") return;
      // Of a room in which nobody of this server is it is not known any more who else is, or not yet.
      if (!isHere || this.#partialRooms.has(room.roomNid)) isKnown &&= isLocal;
    }
    if (isKnown) {
      throw new MatrixError(
        "M_FORBIDDEN",
        "This room is for members of certain other rooms, and you are in none of them",
      );
    }
    throw new MatrixError(
      "M_UNABLE_TO_AUTHORISE_JOIN",
      "This server is not in all of the rooms whose members may join, so it cannot tell who is in them",
    );
  }

  /** The rooms whose members may come in; `undefined` for one that is not known here. */
  async #roomsOf(allow: unknown): Promise<(Room | undefined)[]> {
    if (!Array.isArray(allow)) return [];
    const roomIds = (allow.slice(0, maxConditions) as unknown[])
      .filter(isJsonObject)
      .filter(({ type }) => type === "m.room_membership")
      .map(({ room_id: roomId }) => roomId)
      .filter((roomId) => typeof roomId === "string" && parseRoomId(roomId) !== undefined);
    return Promise.all(roomIds.map((roomId) => this.#rooms.find(roomId as string)));
  }

  /** Those with a power level of their own come first: among thousands of members few may have it by default. */
  async #memberWhoMayInvite(room: Room): Promise<UserId | undefined> {
    const levels = await this.#state.powerLevels(room);
    for (const userId of levels.namedUsers) {
      if (levels.userLevel(userId) >= levels.invite && (await this.#isLocalMember(room, userId)))
        return userId as UserId;
    }
    for (const userNid of await this.#memberships.localJoinedNids(room.roomNid, maxOrdinaryMembers)) {
      const userId = await this.#names.userId(userNid);
      if (levels.userLevel(userId) >= levels.invite) return userId as UserId;
    }
    return undefined;
  }

  async #isLocalMember(room: Room, userId: string): Promise<boolean> {
    if (parseUserId(userId) === undefined || serverNameOf(userId as UserId) !== this.#serverName)
      return false;
    return (await this.#membership(room, userId))?.membership === "join";
  }

  /** A user whom other servers ask about need not be known here, and asking makes nobody known. */
  async #membership({ roomNid }: Room, userId: string): Promise<MembershipRow | undefined> {
    const userNid = await this.#names.findUser(userId);
    return userNid === undefined ? undefined : this.#memberships.of(roomNid, userNid);
  }
}
