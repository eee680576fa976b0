import { boundedCache } from "../../cache/bounded-cache.ts";
import { parseUserId, type ServerName, serverNameOf, type UserId } from "../../protocol/identifiers.ts";
import type { Room } from "../../state/room-index.ts";
import type { MembershipStore } from "../../storage/memberships.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { RoomParticipation } from "../room-participation.ts";

type Participation = Pick<RoomParticipation, "find" | "isJoined" | "admits" | "isWhole" | "hasUsersOf">;

/** So many users of a room are believed to be in it before its members are known; the servers of the room name them. */
const maxUnprovenMembers = 1_000;
const maxPartialRooms = 1_000;

/** Which rooms and users an EDU of another server may be about. */
export class EduRooms {
  readonly #participation: Participation;
  readonly #names: Pick<NameCache, "findUser" | "internUser">;
  readonly #memberships: Pick<MembershipStore, "of">;
  /** By room whose members are not all known, users of its servers who are not among those that are. */
  readonly #unproven = boundedCache<number, Set<UserId>>(maxPartialRooms);

  constructor(
    participation: Participation,
    names: Pick<NameCache, "findUser" | "internUser">,
    memberships: Pick<MembershipStore, "of">,
  ) {
    this.#participation = participation;
    this.#names = names;
    this.#memberships = memberships;
  }

  /**
   * A room that this server is in and that admits the sender: "ACLs MUST be applied to all EDUs that are local to a
   * specific room" (server-server API, "Server Access Control Lists (ACLs)").
   */
  async open(roomId: string, origin: ServerName): Promise<Room | undefined> {
    const room = await this.#participation.find(roomId);
    if (!room || !(await this.#participation.isJoined(room))) return undefined;
    return (await this.#participation.admits(room, origin)) ? room : undefined;
  }

  /** "Receiving servers should verify that the user is in the room, and is a user belonging to the sending server." */
  async member(room: Room, origin: ServerName, userId: string): Promise<number | undefined> {
    const user = parseUserId(userId);
    if (!user || serverNameOf(user) !== origin) return undefined;
    const userNid = await this.#names.findUser(user);
    const row = userNid === undefined ? undefined : await this.#memberships.of(room.roomNid, userNid);
    if (row) return row.membership === "join" ? userNid : undefined;
    return (await this.#mayBeMember(room, origin, user)) ? this.#names.internUser(user) : undefined;
  }

  /** Of a room whose members are not all known it is known which servers they are of. */
  async #mayBeMember(room: Room, origin: ServerName, user: UserId): Promise<boolean> {
    const { roomNid } = room;
    if (this.#participation.isWhole(room)) {
      this.#unproven.delete(roomNid);
      return false;
    }
    if (!(await this.#participation.hasUsersOf(room, origin))) return false;
    const users = this.#unproven.get(roomNid) ?? new Set();
    if (!users.has(user) && users.size >= maxUnprovenMembers) return false;
    this.#unproven.set(roomNid, users.add(user));
    return true;
  }
}
