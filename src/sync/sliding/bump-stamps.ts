import { boundedCache } from "../../cache/bounded-cache.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { SlidingSyncStore } from "../../storage/sliding-sync.ts";

/** "Proper" activity in a room (MSC4186, `bump_stamp`). */
const bumpTypes = [
  "m.room.create",
  "m.room.message",
  "m.room.encrypted",
  "m.sticker",
  "m.call.invite",
  "m.poll.start",
  "org.matrix.msc3381.poll.start",
  "m.beacon_info",
  "org.matrix.msc3672.beacon_info",
] as const;

const cachedRooms = 50_000;
/** A room in which nothing of the kind has come for so many events is as old as the oldest of them that was looked at. */
const maxLooked = 500;

interface Stamp {
  /** Everything up to here has been looked at. */
  readonly upTo: number;
  readonly position: number | undefined;
}

/** Knows when somebody has last said something in rooms. */
export class BumpStamps {
  readonly #store: Pick<SlidingSyncStore, "newestOfTypes">;
  readonly #names: NameCache;
  readonly #stamps = boundedCache<number, Stamp>(cachedRooms);
  #typeNids: readonly number[] | undefined;

  constructor(store: Pick<SlidingSyncStore, "newestOfTypes">, names: NameCache) {
    this.#store = store;
    this.#names = names;
  }

  /** Position of the newest such event of a room up to a position; `undefined` when there is none for long. */
  async of(roomNid: number, upTo: number): Promise<number | undefined> {
    const known = this.#stamps.get(roomNid);
    if (known?.upTo === upTo) return known.position;
    // An answer to the past is rare, and not remembered.
    const isNewer = known === undefined || known.upTo < upTo;
    const after = isNewer ? (known?.upTo ?? 0) : 0;
    const typeNids = (this.#typeNids ??= await this.#bumpTypeNids());
    const found = await this.#store.newestOfTypes(roomNid, typeNids, after, upTo, maxLooked);
    const position = found ?? (isNewer ? known?.position : undefined);
    if (isNewer) this.#stamps.set(roomNid, { upTo, position });
    return position;
  }

  #bumpTypeNids(): Promise<number[]> {
    return Promise.all(bumpTypes.map((type) => this.#names.internEventType(type)));
  }
}
