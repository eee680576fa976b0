import type { RoomWriter } from "../../ingest/room-writer.ts";
import type { UserId } from "../../protocol/identifiers.ts";
import type { Room, RoomIndex } from "../../state/room-index.ts";
import type { Departure } from "../../storage/accounts.ts";
import type { MembershipStore } from "../../storage/memberships.ts";
import type { RoomLeaver } from "../accounts/departures.ts";

const leavable = ["join", "invite", "knock"] as const;

/** Takes a user out of every room that they are joined or invited to, or knocked on. */
export class LeaveAllRooms implements RoomLeaver {
  readonly #memberships: MembershipStore;
  readonly #rooms: RoomIndex;
  readonly #writer: RoomWriter;

  constructor(memberships: MembershipStore, rooms: RoomIndex, writer: RoomWriter) {
    this.#memberships = memberships;
    this.#rooms = rooms;
    this.#writer = writer;
  }

  /** @throws AggregateError with the reason for each room that could not be left */
  async leaveAll({ userNid, userId }: Departure): Promise<void> {
    const failures: unknown[] = [];
    for (const { roomNid } of await this.#memberships.roomsOf(userNid, leavable)) {
      try {
        await this.#leave(await this.#rooms.byNid(roomNid), userId);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0)
      throw new AggregateError(failures, `${userId} could not leave ${failures.length} rooms`);
  }

  /** Somebody else may have made the user leave meanwhile. */
  async #leave(room: Room, userId: UserId): Promise<void> {
    const content = { membership: "leave" };
    await this.#writer.decide(room, async (state) => {
      const current = await state.membership(userId);
      if (!leavable.some((membership) => membership === current)) return [];
      return [{ type: "m.room.member", stateKey: userId, sender: userId, content }];
    });
  }
}
