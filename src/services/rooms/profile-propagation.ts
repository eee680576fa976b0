import type { UserId } from "../../protocol/identifiers.ts";
import type { MembershipStore } from "../../storage/memberships.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { RoomMembership } from "./room-membership.ts";

/** Rooms whose member events are rewritten side by side. */
const concurrency = 8;

/** Carries a changed profile into the rooms that its user is in (client-server API, "Events on Change of Profile Information"). */
export class RoomProfilePropagation {
  readonly #membership: RoomMembership;
  readonly #memberships: MembershipStore;
  readonly #names: NameCache;
  readonly #log: Logger;

  constructor(parts: {
    membership: RoomMembership;
    memberships: MembershipStore;
    names: NameCache;
    log: Logger;
  }) {
    this.#membership = parts.membership;
    this.#memberships = parts.memberships;
    this.#names = parts.names;
    this.#log = parts.log;
  }

  /** A room that refuses the new member event keeps the old one; the others have the new one when this ends. */
  async profileChanged(userNid: number): Promise<void> {
    const userId = (await this.#names.userId(userNid)) as UserId;
    const rooms = [...(await this.#memberships.joinedRoomNids(userNid))];
    const work = Array.from({ length: concurrency }, async () => {
      for (let roomNid = rooms.pop(); roomNid !== undefined; roomNid = rooms.pop()) {
        await this.#refresh(userId, userNid, roomNid);
      }
    });
    await Promise.all(work);
  }

  async #refresh(userId: UserId, userNid: number, roomNid: number): Promise<void> {
    try {
      await this.#membership.refreshProfile(userId, userNid, roomNid);
    } catch (error) {
      this.#log.warn({ err: error, roomNid }, "a room did not take a member's new profile");
    }
  }
}
