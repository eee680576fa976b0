import type { UserId } from "../../protocol/identifiers.ts";
import { MatrixError } from "../../protocol/matrix-error.ts";
import { namedRoomId } from "../named-ids.ts";
import type { BlockedRoom, BlockedRoomStore } from "../../storage/blocked-rooms.ts";
import type { Clock } from "../../telemetry/clock.ts";

/** Rooms that nobody of this server may join: administrators say which. */
export class BlockedRooms {
  readonly #store: BlockedRoomStore;
  readonly #clock: Clock;

  constructor(store: BlockedRoomStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** @throws MatrixError M_INVALID_PARAM for what is no room ID */
  async find(roomId: string): Promise<BlockedRoom | undefined> {
    return this.#store.find(namedRoomId(roomId));
  }

  /** The room need not be known here. @throws MatrixError M_INVALID_PARAM */
  async block(roomId: string, author: UserId): Promise<void> {
    await this.#store.add({
      roomId: namedRoomId(roomId),
      blockedBy: author,
      blockedTs: this.#clock.nowMs(),
    });
  }

  /** @throws MatrixError M_INVALID_PARAM */
  async unblock(roomId: string): Promise<void> {
    await this.#store.remove(namedRoomId(roomId));
  }

  /** For those who want to join, and for invitations. @throws MatrixError M_FORBIDDEN */
  async check(roomId: string): Promise<void> {
    if (!(await this.#store.find(roomId))) return;
    throw new MatrixError("M_FORBIDDEN", "This room has been blocked on this server");
  }
}
