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
import type { Room, RoomIndex } from "../../state/room-index.ts";
import type { MembershipStore } from "../../storage/memberships.ts";
import type { NameCache } from "../../storage/name-cache.ts";

/** Conditions beyond this number are not looked at. */
const maxConditions = 100;
/** Members without a power level of their own all have the same. */
const maxOrdinaryMembers = 50;

/** Lets members of other rooms into a room that allows it (room version 8, "Restricted rooms"). */
export class RestrictedJoin {
  readonly #rooms: RoomIndex;
  readonly #state: CurrentState;
  readonly #memberships: MembershipStore;
  readonly #names: NameCache;
  readonly #serverName: ServerName;

  constructor(parts: {
    rooms: RoomIndex;
    state: CurrentState;
    memberships: MembershipStore;
    names: NameCache;
    serverName: ServerName;
  }) {
    this.#rooms = parts.rooms;
    this.#state = parts.state;
    this.#memberships = parts.memberships;
    this.#names = parts.names;
    this.#serverName = parts.serverName;
  }

  /**
   * The local user on whose authority somebody may join, or `undefined` when the room's rules ask for none: it is not
   * restricted, or the user is invited or joined already.
   * @throws MatrixError M_FORBIDDEN when no condition is met, M_UNABLE_TO_GRANT_JOIN when nobody here may let them in
   */
  async authoriser(room: Room, userNid: number): Promise<UserId | undefined> {
    if (!room.version.restrictedJoin) return undefined;
    const joinRules = await this.#state.event(room, "m.room.join_rules", "");
    const rule = joinRules?.content["join_rule"];
    const isRestricted =
      rule === "restricted" || (rule === "knock_restricted" && room.version.knockRestricted);
    if (!isRestricted) return undefined;
    const current = await this.#memberships.of(room.roomNid, userNid);
    if (current?.membership === "join" || current?.membership === "invite") return undefined;
    if (!(await this.#meetsCondition(joinRules?.content["allow"], userNid))) {
      throw new MatrixError(
        "M_FORBIDDEN",
        "This room is for members of certain other rooms, and you are in none of them",
      );
    }
    const authoriser = await this.#memberWhoMayInvite(room);
    if (authoriser === undefined) {
      throw new MatrixError(
        "M_UNABLE_TO_GRANT_JOIN",
        "No member of the room on this server may let others in",
      );
    }
    return authoriser;
  }

  async #meetsCondition(allow: unknown, userNid: number): Promise<boolean> {
    if (!Array.isArray(allow)) return false;
    for (const condition of allow.slice(0, maxConditions) as unknown[]) {
      if (!isJsonObject(condition) || condition["type"] !== "m.room_membership") continue;
      const roomId = condition["room_id"];
      if (typeof roomId !== "string" || parseRoomId(roomId) === undefined) continue;
      const room = await this.#rooms.find(roomId);
      const membership = room && (await this.#memberships.of(room.roomNid, userNid));
      if (membership?.membership === "join") return true;
    }
    return false;
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
    const userNid = await this.#names.findUser(userId);
    const current = userNid === undefined ? undefined : await this.#memberships.of(room.roomNid, userNid);
    return current?.membership === "join";
  }
}
