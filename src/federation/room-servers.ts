import { boundedCache } from "../cache/bounded-cache.ts";
import type { DestinationStore } from "../storage/destinations.ts";
import type { StreamChange } from "../storage/streams.ts";

const cachedRooms = 20_000;

/** The other servers of rooms, almost always from memory. */
export class RoomServers {
  readonly #store: Pick<DestinationStore, "serversInRoom">;
  readonly #byRoom = boundedCache<number, readonly string[]>(cachedRooms);
  /** Grows with each change: what was read before one may be out of date. */
  #changes = 0;

  constructor(store: Pick<DestinationStore, "serversInRoom">) {
    this.#store = store;
  }

  /** To be told of each commit. */
  readonly committed = (_position: number, changes: readonly StreamChange[]): void => {
    for (const { nid, membership, isWhole } of changes) {
      const roomNid = isWhole ? nid : membership?.roomNid;
      if (roomNid === undefined) continue;
      this.#changes += 1;
      this.#byRoom.delete(roomNid);
    }
  };

  /** Of a room whose members are not all known, those that were there when it was joined count as well. */
  async of(roomNid: number): Promise<readonly string[]> {
    const known = this.#byRoom.get(roomNid);
    if (known) return known;
    const changes = this.#changes;
    const servers = await this.#store.serversInRoom(roomNid);
    if (changes === this.#changes) this.#byRoom.set(roomNid, servers);
    return servers;
  }
}
