import { MatrixError } from "../../protocol/matrix-error.ts";
import type { Membership } from "../../storage/memberships.ts";
import type { RoomSummary, RoomSummaryStore } from "../../storage/room-summaries.ts";
import type { RoomAliases } from "../rooms/room-aliases.ts";
import type { RoomVisibility } from "./room-visibility.ts";

/** Tells what a room is before somebody joins it (client-server API, "Room previews": `/room_summary`). */
export class RoomSummaries {
  readonly #store: RoomSummaryStore;
  readonly #aliases: RoomAliases;
  readonly #visibility: RoomVisibility;

  constructor(store: RoomSummaryStore, aliases: RoomAliases, visibility: RoomVisibility) {
    this.#store = store;
    this.#aliases = aliases;
    this.#visibility = visibility;
  }

  /**
   * @param userNid `undefined` for nobody in particular
   * @throws MatrixError M_NOT_FOUND also for a room that the user may not know of; M_INVALID_PARAM
   */
  async find(
    roomIdOrAlias: string,
    userNid: number | undefined,
  ): Promise<{ summary: RoomSummary; membership: Membership | undefined }> {
    const { roomNid } = await this.#aliases.byIdOrAlias(roomIdOrAlias);
    const summary = await this.#store.of(roomNid);
    if (summary) {
      const { membership, maySee } = await this.#visibility.standing(summary, userNid);
      if (maySee) return { summary, membership };
    }
    throw new MatrixError("M_NOT_FOUND", "This server does not know this room");
  }
}
