import { boundedCache } from "../cache/bounded-cache.ts";
import type { RoomId } from "../protocol/identifiers.ts";
import { type RoomVersion, roomVersion } from "../protocol/room-versions.ts";
import type { RoomStore } from "../storage/rooms.ts";

/** What never changes about a room in which this server is or has been. */
export interface Room {
  readonly roomNid: number;
  readonly roomId: RoomId;
  readonly version: RoomVersion;
}

/** Every request names a room, so its integer ID and version are almost always in memory. */
const cachedRooms = 50_000;

/** Finds rooms by either of their IDs. */
export class RoomIndex {
  readonly #store: RoomStore;
  readonly #byId = boundedCache<string, Room>(cachedRooms);
  readonly #byNid = boundedCache<number, Room>(cachedRooms);

  constructor(store: RoomStore) {
    this.#store = store;
  }

  async find(roomId: string): Promise<Room | undefined> {
    const known = this.#byId.get(roomId);
    if (known) return known;
    const row = await this.#store.byId(roomId);
    return row && this.#remember(row);
  }

  /** @throws Error for an integer that is no room's */
  async byNid(roomNid: number): Promise<Room> {
    const known = this.#byNid.get(roomNid);
    if (known) return known;
    const row = await this.#store.byNid(roomNid);
    if (!row) throw new Error(`there is no room ${roomNid}`);
    return this.#remember(row);
  }

  /** The same, for a room that is being removed as well: no one else finds that. */
  async findEvenRemoved(roomId: string): Promise<Room | undefined> {
    const row = await this.#store.byId(roomId, true);
    return row && toRoom(row);
  }

  /** To be called when a room's version has been corrected, and when the room is being removed. */
  forget(roomNid: number, roomId: RoomId): void {
    this.#byId.delete(roomId);
    this.#byNid.delete(roomNid);
  }

  #remember(row: { roomNid: number; roomId: string; version: string }): Room {
    const room = toRoom(row);
    this.#byId.set(room.roomId, room);
    this.#byNid.set(room.roomNid, room);
    return room;
  }
}

function toRoom(row: { roomNid: number; roomId: string; version: string }): Room {
  const version = roomVersion(row.version);
  if (!version) throw new Error(`room ${row.roomId} has an unknown version`);
  return { roomNid: row.roomNid, roomId: row.roomId as RoomId, version };
}
