import { roomVersion } from "../../protocol/room-versions.ts";
import type { RoomIndex } from "../../state/room-index.ts";
import type { Membership, MembershipStore } from "../../storage/memberships.ts";
import type { DescribedRoom } from "./described-room.ts";

/** What somebody is in a room, and whether they may learn what it tells of itself. */
export interface RoomStanding {
  /** `undefined` for one who has never been in it, and for nobody in particular. */
  readonly membership: Membership | undefined;
  readonly maySee: boolean;
}

/** Decides who may see what a room tells of itself: whoever is in it, could come into it, or could read it. */
export class RoomVisibility {
  readonly #rooms: RoomIndex;
  readonly #memberships: MembershipStore;

  constructor(rooms: RoomIndex, memberships: MembershipStore) {
    this.#rooms = rooms;
    this.#memberships = memberships;
  }

  /** @param userNid `undefined` for nobody in particular */
  async standing(described: DescribedRoom, userNid: number | undefined): Promise<RoomStanding> {
    const membership = await this.#membership(described.roomId, userNid);
    const isInside = membership === "join" || membership === "invite" || membership === "knock";
    const isOpen = described.isWorldReadable || isOpenToAll(described);
    const maySee =
      isInside ||
      isOpen ||
      (userNid !== undefined && membership !== "ban" && (await this.#isAllowed(described, userNid)));
    return { membership, maySee };
  }

  /** Room version 8, "Restricted rooms": members of certain other rooms may join. */
  async #isAllowed(described: DescribedRoom, userNid: number): Promise<boolean> {
    if (!isRestricted(described)) return false;
    for (const roomId of described.allowedRoomIds) {
      if ((await this.#membership(roomId, userNid)) === "join") return true;
    }
    return false;
  }

  async #membership(roomId: string, userNid: number | undefined): Promise<Membership | undefined> {
    const room = userNid === undefined ? undefined : await this.#rooms.find(roomId);
    if (!room || userNid === undefined) return undefined;
    return (await this.#memberships.of(room.roomNid, userNid))?.membership;
  }
}

/**
 * Whether anybody may join or knock: a rule counts in room versions that have it, and where the version is not known it is
 * taken to.
 */
export function isOpenToAll({ joinRule, version }: DescribedRoom): boolean {
  if (joinRule === "public") return true;
  const rules = version === undefined ? undefined : roomVersion(version);
  if (joinRule === "knock") return version === undefined || rules?.knock === true;
  return joinRule === "knock_restricted" && (version === undefined || rules?.knockRestricted === true);
}

/** Whether members of certain other rooms may join. */
export function isRestricted({ version }: DescribedRoom): boolean {
  return version === undefined || roomVersion(version)?.restrictedJoin === true;
}
