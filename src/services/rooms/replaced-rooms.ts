import type { RoomIndex } from "../../state/room-index.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { StreamChange } from "../../storage/streams.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { RoomSuccession } from "./room-succession.ts";

export interface ReplacedRoomsParts {
  readonly rooms: Pick<RoomIndex, "byNid">;
  readonly succession: Pick<RoomSuccession, "replaced">;
  readonly names: Pick<NameCache, "internStatePair">;
  readonly log: Logger;
}

/**
 * Follows the one stream: when a room gets a tombstone, be it from here or from another server, those who have gone ahead to
 * the room that replaces it take along what they have settled.
 */
export class ReplacedRooms implements AsyncDisposable {
  readonly #parts: ReplacedRoomsParts;
  /** State that has changed, by room: a round of work empties it. */
  #changed: { readonly roomNid: number; readonly pairNid: number }[] = [];
  #work: Promise<void> | undefined;

  constructor(parts: ReplacedRoomsParts) {
    this.#parts = parts;
  }

  /** To be told of each commit before its position becomes visible. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { nid: roomNid, pairNid } of changes) {
      if (pairNid !== undefined) this.#changed.push({ roomNid, pairNid });
    }
    if (this.#changed.length > 0) this.#work ??= this.#carryAll().finally(() => (this.#work = undefined));
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#work;
  }

  async #carryAll(): Promise<void> {
    const { rooms, succession, names, log } = this.#parts;
    try {
      const tombstone = await names.internStatePair("m.room.tombstone", "");
      while (this.#changed.length > 0) {
        for (const { roomNid, pairNid } of this.#changed.splice(0)) {
          if (pairNid === tombstone) await succession.replaced(await rooms.byNid(roomNid));
        }
      }
    } catch (error) {
      log.warn({ err: error }, "what users have settled for a replaced room was not carried over");
    }
  }
}
