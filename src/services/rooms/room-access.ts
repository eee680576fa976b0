import type { ActingUser } from "../../auth/requester.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import type { LiveMemberships } from "../../notifier/live-memberships.ts";
import type { Room, RoomIndex } from "../../state/room-index.ts";
import type { Membership, MembershipStore } from "../../storage/memberships.ts";
import { namedRoomId } from "../named-ids.ts";

/** Finds the room of a request, and what its sender is in it. */
export class RoomAccess {
  readonly #rooms: RoomIndex;
  readonly #memberships: MembershipStore;
  readonly #live: LiveMemberships;

  /** @param live the joined rooms of those who do something */
  constructor(rooms: RoomIndex, memberships: MembershipStore, live: LiveMemberships) {
    this.#rooms = rooms;
    this.#memberships = memberships;
    this.#live = live;
  }

  /** @throws MatrixError M_INVALID_PARAM for what is no room ID, M_NOT_FOUND for a room that is not known here */
  async room(roomId: string): Promise<Room> {
    const room = await this.#rooms.find(namedRoomId(roomId));
    if (!room) throw new MatrixError("M_NOT_FOUND", "This server does not know this room");
    return room;
  }

  async membership(room: Room, requester: ActingUser): Promise<Membership | undefined> {
    return (await this.#memberships.of(room.roomNid, requester.userNid))?.membership;
  }

  /**
   * A room that the requester is joined to. Whoever is not in it learns nothing of whether it exists.
   * @throws MatrixError M_FORBIDDEN
   */
  async joinedRoom(roomId: string, requester: ActingUser): Promise<Room> {
    const room = await this.#rooms.find(namedRoomId(roomId));
    if (!room || !(await this.#live.load(requester.userNid)).has(room.roomNid)) {
      throw new MatrixError("M_FORBIDDEN", `${requester.userId} is not in this room`);
    }
    return room;
  }
}
