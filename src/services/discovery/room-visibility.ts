import { roomVersion } from "../../protocol/room-versions.ts";
import type { RoomIndex } from "../../state/room-index.ts";
import type { Membership, MembershipStore } from "../../storage/memberships.ts";
import type { RoomSummary } from "../../storage/room-summaries.ts";

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
  async standing(summary: RoomSummary, userNid: number | undefined): Promise<RoomStanding> {
    const row = userNid === undefined ? undefined : await this.#memberships.of(summary.roomNid, userNid);
    const membership = row?.membership;
    const isInside = membership === "join" || membership === "invite" || membership === "knock";
    const isOpen = summary.isWorldReadable || isOpenToAll(summary);
    const maySee =
      isInside ||
      isOpen ||
      (userNid !== undefined && membership !== "ban" && (await this.#isAllowed(summary, userNid)));
    return { membership, maySee };
  }

  /** Room version 8, "Restricted rooms": members of certain other rooms may join. */
  async #isAllowed({ allowedRoomIds, version }: RoomSummary, userNid: number): Promise<boolean> {
    if (!roomVersion(version)?.restrictedJoin) return false;
    for (const roomId of allowedRoomIds) {
      const room = await this.#rooms.find(roomId);
      const membership = room && (await this.#memberships.of(room.roomNid, userNid));
      if (membership?.membership === "join") return true;
    }
    return false;
  }
}

/** Whether anybody may join or knock: a rule counts in room versions that have it. */
function isOpenToAll({ joinRule, version }: RoomSummary): boolean {
  if (joinRule === "public") return true;
  const rules = roomVersion(version);
  if (joinRule === "knock") return rules?.knock === true;
  return joinRule === "knock_restricted" && rules?.knockRestricted === true;
}
