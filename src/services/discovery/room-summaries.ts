import { MatrixError } from "../../protocol/matrix-error.ts";
import type { Membership } from "../../storage/memberships.ts";
import type { RoomAliases } from "../rooms/room-aliases.ts";
import type { DescribedRoom } from "./described-room.ts";
import type { RoomVisibility } from "./room-visibility.ts";
import type { NamedRoom, SpaceRooms } from "./space-rooms.ts";

const remoteTimeoutMs = 15_000;

/** Tells what a room is before somebody joins it (client-server API, "Room previews": `/room_summary`). */
export class RoomSummaries {
  readonly #rooms: SpaceRooms;
  readonly #aliases: RoomAliases;
  readonly #visibility: RoomVisibility;

  constructor(rooms: SpaceRooms, aliases: RoomAliases, visibility: RoomVisibility) {
    this.#rooms = rooms;
    this.#aliases = aliases;
    this.#visibility = visibility;
  }

  /**
   * @param via servers that may be in the room, unchecked
   * @param userNid `undefined` for nobody in particular: no other server is asked for them
   * @throws MatrixError M_NOT_FOUND also for a room that the user may not know of; M_INVALID_PARAM
   */
  async find(
    roomIdOrAlias: string,
    via: readonly string[],
    userNid: number | undefined,
  ): Promise<{ room: DescribedRoom; membership: Membership | undefined }> {
    const named = await this.#named(roomIdOrAlias, via, userNid);
    const found = await this.#rooms.find(named, {
      userNid,
      suggestedOnly: false,
      needsChildren: false,
      timeoutMs: remoteTimeoutMs,
    });
    if (!found) throw new MatrixError("M_NOT_FOUND", "This server does not know this room");
    const { membership } = await this.#visibility.standing(found.room, userNid);
    return { room: found.room, membership };
  }

  async #named(text: string, via: readonly string[], userNid: number | undefined): Promise<NamedRoom> {
    if (userNid === undefined) return { roomId: (await this.#aliases.byIdOrAlias(text)).roomId, via: [] };
    const { roomId, servers } = await this.#aliases.locate(text, via);
    return { roomId, via: servers };
  }
}
