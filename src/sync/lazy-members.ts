import { LRUCache } from "lru-cache";
import type { SyncDevice } from "./sync-request.ts";

/** Bounds memory: an entry costs about 50 bytes. What is forgotten is sent again. */
const maxEntries = 1_000_000;

/** What a client comes back with names the answer that it has got: a position, or the text of one. */
type SyncPoint = number | string;

/** Member events by state pair. */
type Members = Map<number, number>;

interface Got {
  readonly rooms: ReadonlyMap<number, Members>;
  /** In the answer that was given last: the client may or may not have got it. */
  readonly underWay: { readonly token: SyncPoint; readonly rooms: ReadonlyMap<number, Members> } | undefined;
}

/**
 * Which member events each device has got under lazy loading (client-server API, "Lazy-loading room members"), so that
 * they are not sent again. What an answer brings counts as got once the client comes back with that answer's token.
 */
export class LazyMembers {
  readonly #devices = new LRUCache<string, Got>({
    maxSize: maxEntries,
    sizeCalculation: ({ rooms, underWay }) => 1 + countEntries(rooms) + countEntries(underWay?.rooms),
  });

  /** To be told with each request what the client has. */
  acknowledge(device: SyncDevice, since: SyncPoint | undefined): void {
    const key = keyOf(device);
    const got = this.#devices.get(key);
    if (!got) return;
    if (since === undefined) this.#devices.delete(key);
    else if (got.underWay) {
      const isGot = got.underWay.token === since;
      this.#devices.set(key, {
        rooms: isGot ? merged(got.rooms, got.underWay.rooms) : got.rooms,
        underWay: undefined,
      });
    }
  }

  /** The member events of a room that a device has got, by state pair. */
  of(device: SyncDevice, roomNid: number): ReadonlyMap<number, number> | undefined {
    return this.#devices.get(keyOf(device))?.rooms.get(roomNid);
  }

  /** Notes what the answer brings, by room, after which the client comes back with `token`. */
  sent(device: SyncDevice, token: SyncPoint, rooms: ReadonlyMap<number, Members>): void {
    if (rooms.size === 0) return;
    const key = keyOf(device);
    this.#devices.set(key, {
      rooms: this.#devices.get(key)?.rooms ?? new Map(),
      underWay: { token, rooms },
    });
  }
}

function keyOf({ userNid, deviceId }: SyncDevice): string {
  return `${userNid} ${deviceId}`;
}

function countEntries(rooms: ReadonlyMap<number, Members> | undefined): number {
  return rooms ? rooms.values().reduce((sum, members) => sum + members.size, 0) : 0;
}

function merged(
  rooms: ReadonlyMap<number, Members>,
  later: ReadonlyMap<number, Members>,
): ReadonlyMap<number, Members> {
  const all = new Map(rooms);
  for (const [roomNid, members] of later)
    all.set(roomNid, new Map([...(all.get(roomNid) ?? []), ...members]));
  return all;
}
