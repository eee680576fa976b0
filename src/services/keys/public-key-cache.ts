import { LRUCache } from "lru-cache";
import type { DeviceKeyStore } from "../../storage/device-keys.ts";
import type { NameCache } from "../../storage/name-cache.ts";
import type { CommitListener } from "../../storage/streams.ts";
import { type RenderedKeys, renderKeys } from "./rendered-keys.ts";

/** Some 30,000 users with two devices each: everybody of a large server who talks these days. */
const maxCachedBytes = 64 * 1024 * 1024;
/** So many users are read at once: a reading worker has others to serve. */
const usersAtOnce = 200;

/** Rendered keys by user ID. */
export type KeysByUser = ReadonlyMap<string, RenderedKeys>;

/**
 * The public keys of users, rendered once for everybody who asks. Each commit that changes what others see of a user's
 * keys has a position in the stream of device lists, so this is as fresh as the database.
 */
export class PublicKeyCache {
  readonly #store: DeviceKeyStore;
  readonly #names: NameCache;
  readonly #rendered = new LRUCache<string, RenderedKeys>({
    maxSize: maxCachedBytes,
    sizeCalculation: ({ sizeBytes }) => sizeBytes,
    dispose: ({ userNid }) => this.#userIds.delete(userNid),
  });
  /** The user ID under which a user's keys are cached. */
  readonly #userIds = new Map<number, string>();
  /** Users whose keys have changed while some were being read. */
  readonly #reads = new Set<Set<number>>();

  constructor(store: DeviceKeyStore, names: NameCache) {
    this.#store = store;
    this.#names = names;
  }

  /** To be called with each commit before its position becomes visible. */
  readonly follow: CommitListener = (_position, changes) => {
    for (const { stream, nid } of changes) {
      if (stream !== "deviceLists" && stream !== "deviceUpdates") continue;
      for (const changedSince of this.#reads) changedSince.add(nid);
      const userId = this.#userIds.get(nid);
      if (userId !== undefined) this.#rendered.delete(userId);
    }
  };

  /** The keys of a user, if they are in memory. */
  cached(userId: string): RenderedKeys | undefined {
    return this.#rendered.get(userId);
  }

  /** Reads the keys of users from storage, be they of this server or followed ones of another; who is not known is missing. */
  async read(userIds: readonly string[]): Promise<KeysByUser> {
    return this.#readAll(userIds, true);
  }

  /** The same for keys that may be out of date: nobody else is to get them. */
  async readOutdated(userIds: readonly string[]): Promise<KeysByUser> {
    return this.#readAll(userIds, false);
  }

  async #readAll(userIds: readonly string[], isKept: boolean): Promise<KeysByUser> {
    const found = new Map<string, RenderedKeys>();
    for (let first = 0; first < userIds.length; first += usersAtOnce) {
      await this.#readSome(userIds.slice(first, first + usersAtOnce), found, isKept);
    }
    return found;
  }

  async #readSome(
    userIds: readonly string[],
    found: Map<string, RenderedKeys>,
    isKept: boolean,
  ): Promise<void> {
    const userIdByNid = new Map<number, string>();
    for (const userId of userIds) {
      const userNid = await this.#names.findUser(userId);
      if (userNid !== undefined) userIdByNid.set(userNid, userId);
    }
    if (userIdByNid.size === 0) return;
    const changedSince = new Set<number>();
    this.#reads.add(changedSince);
    try {
      for (const keys of await this.#store.of([...userIdByNid.keys()])) {
        const userId = userIdByNid.get(keys.userNid);
        if (userId === undefined) continue;
        const rendered = renderKeys(userId, keys);
        found.set(userId, rendered);
        if (isKept && !changedSince.has(keys.userNid)) this.#keep(userId, rendered);
      }
    } finally {
      this.#reads.delete(changedSince);
    }
  }

  #keep(userId: string, rendered: RenderedKeys): void {
    this.#rendered.set(userId, rendered);
    if (this.#rendered.has(userId)) this.#userIds.set(rendered.userNid, userId);
  }
}
