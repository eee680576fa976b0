import type { DeviceListStore } from "../../storage/device-lists.ts";
import type { NameCache } from "../../storage/name-cache.ts";

/** More changes than this are looked at on a reading worker. */
const manyChanges = 100;

export interface DeviceListSection {
  /** User IDs. */
  readonly changed: readonly string[];
  readonly left: readonly string[];
}

/** `device_lists` of /sync (client-server API, "End-to-End Encryption": "Extensions to /sync"). */
export class DeviceListStream {
  readonly #store: DeviceListStore;
  readonly #names: NameCache;

  constructor(store: DeviceListStore, names: NameCache) {
    this.#store = store;
    this.#names = names;
  }

  async changes(userNid: number, since: number): Promise<DeviceListSection> {
    const isMuch = (await this.#store.countChanges(userNid, since, manyChanges)) >= manyChanges;
    const { changed, left } = isMuch
      ? await this.#store.manyChanges(userNid, since)
      : await this.#store.changes(userNid, since);
    return { changed: await this.#userIds(changed), left: await this.#userIds(left) };
  }

  #userIds(userNids: readonly number[]): Promise<string[]> {
    return Promise.all(userNids.map((nid) => this.#names.userId(nid)));
  }
}
