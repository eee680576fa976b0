import type { AccountDataService } from "../services/account-data.ts";
import type { NameCache } from "../storage/name-cache.ts";
import type { Reader } from "./reader.ts";

const nobody: ReadonlySet<number> = new Set();

/** Makes readers out of those who ask: with the users whom they ignore. */
export class Readers {
  readonly #accountData: Pick<AccountDataService, "ignoredUsers">;
  readonly #names: NameCache;
  readonly #ignored = new WeakMap<ReadonlySet<string>, Promise<ReadonlySet<number>>>();

  constructor(accountData: Pick<AccountDataService, "ignoredUsers">, names: NameCache) {
    this.#accountData = accountData;
    this.#names = names;
  }

  async of(user: Omit<Reader, "ignored">): Promise<Reader> {
    const { userNid, userId, deviceId } = user;
    const ignoredIds = await this.#accountData.ignoredUsers(userNid);
    const ignored = ignoredIds.size === 0 ? nobody : await this.#nids(ignoredIds);
    return { userNid, userId, deviceId, ignored };
  }

  #nids(userIds: ReadonlySet<string>): Promise<ReadonlySet<number>> {
    const known = this.#ignored.get(userIds);
    if (known) return known;
    // Interned, not looked up: whoever is heard of only later is ignored as well.
    const reading = Promise.all([...userIds].map((userId) => this.#names.internUser(userId)));
    const nids = reading.then((all) => new Set(all));
    this.#ignored.set(userIds, nids);
    // The next who asks tries again.
    nids.catch(() => this.#ignored.delete(userIds));
    return nids;
  }
}
