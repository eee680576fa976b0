import type { LRUCache } from "lru-cache";
import { boundedCache } from "../cache/bounded-cache.ts";
import type { NameStore, NumberedPair, StatePair } from "./names.ts";

/** Names stay what they are for ever, so an entry is never stale; the bounds are for memory only. */
const cachedUsers = 100_000;
const cachedPairs = 100_000;
const cachedTypes = 5_000;
/** Pairs that no room has, asked for again and again: an avatar, a topic. */
const cachedAbsences = 10_000;
/** They wait for their commit. Those whose commit has failed stay: beyond this number a pair is stored before it is used. */
const maxUnstored = 10_000;

/** Integer IDs of names and names of integer IDs, almost always from memory. */
export class NameCache {
  readonly #store: NameStore;
  readonly #isLocal: (userId: string) => boolean;
  readonly #userNids = boundedCache<string, number>(cachedUsers);
  readonly #userIds = boundedCache<number, string>(cachedUsers);
  readonly #typeNids = boundedCache<string, number>(cachedTypes);
  readonly #types = boundedCache<number, string>(cachedTypes);
  readonly #pairNids = boundedCache<string, number>(cachedPairs);
  readonly #pairs = boundedCache<number, StatePair>(cachedPairs);
  /** Names of pairs without an integer ID. They get one by way of this cache only. */
  readonly #absentPairs = boundedCache<string, true>(cachedAbsences);
  /** Pairs with an integer ID that are not in storage yet, by name. */
  readonly #unstored = new Map<string, NumberedPair>();
  #highestPairNid: number | undefined;

  constructor(store: NameStore, isLocal: (userId: string) => boolean) {
    this.#store = store;
    this.#isLocal = isLocal;
  }

  /** The user's integer ID, made when there is none yet. */
  async internUser(userId: string): Promise<number> {
    const existing = await this.findUser(userId);
    if (existing !== undefined) return existing;
    const nid = await this.#store.internUser(userId, this.#isLocal(userId));
    this.#userNids.set(userId, nid);
    return nid;
  }

  async internEventType(type: string): Promise<number> {
    const existing = await this.findEventType(type);
    if (existing !== undefined) return existing;
    const nid = await this.#store.internEventType(type);
    this.#typeNids.set(type, nid);
    return nid;
  }

  /** The pair's integer ID, made and stored when there is none yet. */
  async internStatePair(type: string, stateKey: string): Promise<number> {
    const nid = await this.#numberPair(type, stateKey);
    await this.#storePairs(this.unstoredPairs([{ type, stateKey }]));
    return nid;
  }

  /**
   * The pair's integer ID, which need not be stored yet: whoever stores what refers to it stores it too, if it is one of
   * the {@link unstoredPairs}, and then calls {@link pairsStored}.
   */
  async numberStatePair(type: string, stateKey: string): Promise<number> {
    const pairNid = await this.#numberPair(type, stateKey);
    if (this.#unstored.size > maxUnstored) await this.#storePairs(this.unstoredPairs([{ type, stateKey }]));
    return pairNid;
  }

  async #numberPair(type: string, stateKey: string): Promise<number> {
    const existing = await this.findStatePair(type, stateKey);
    if (existing !== undefined) return existing;
    const highest = this.#highestPairNid ?? (await this.#store.highestPairNid());
    const name = pairName(type, stateKey);
    // Somebody else may have asked meanwhile.
    const others = this.#unstored.get(name)?.pairNid ?? this.#pairNids.get(name);
    if (others !== undefined) return others;
    const pairNid = Math.max(highest, this.#highestPairNid ?? 0) + 1;
    this.#highestPairNid = pairNid;
    this.#unstored.set(name, { pairNid, type, stateKey });
    this.#absentPairs.delete(name);
    return pairNid;
  }

  /** Those of some pairs that have an integer ID and may not be in storage yet. */
  unstoredPairs(pairs: readonly StatePair[]): NumberedPair[] {
    return pairs.flatMap(({ type, stateKey }) => this.#unstored.get(pairName(type, stateKey)) ?? []);
  }

  /** To be told of each commit that has stored pairs. */
  pairsStored(pairs: readonly NumberedPair[]): void {
    for (const { type, stateKey, pairNid } of pairs) {
      const name = pairName(type, stateKey);
      this.#unstored.delete(name);
      this.#pairNids.set(name, pairNid);
    }
  }

  /** Makes integer IDs for many names in one write, where there are none yet. */
  async internAll(userIds: Iterable<string>, statePairs: Iterable<StatePair>): Promise<void> {
    const users: { userId: string; isLocal: boolean }[] = [];
    for (const userId of new Set(userIds)) {
      if ((await this.findUser(userId)) === undefined) users.push({ userId, isLocal: this.#isLocal(userId) });
    }
    const numbered = new Set<NumberedPair>();
    for (const pair of statePairs) {
      await this.#numberPair(pair.type, pair.stateKey);
      for (const unstored of this.unstoredPairs([pair])) numbered.add(unstored);
    }
    const pairs = [...numbered];
    if (users.length === 0 && pairs.length === 0) return;
    const nids = await this.#store.internAll({ users, pairs });
    for (const [index, nid] of nids.entries()) this.#userNids.set(users[index]?.userId ?? "", nid);
    this.pairsStored(pairs);
  }

  async #storePairs(pairs: readonly NumberedPair[]): Promise<void> {
    if (pairs.length === 0) return;
    await this.#store.internAll({ users: [], pairs });
    this.pairsStored(pairs);
  }

  /** The user's integer ID, or `undefined` for one whom nothing refers to yet. */
  findUser(userId: string): Promise<number | undefined> {
    return found(this.#userNids, userId, () => this.#store.findUser(userId));
  }

  findEventType(type: string): Promise<number | undefined> {
    return found(this.#typeNids, type, () => this.#store.findEventType(type));
  }

  async findStatePair(type: string, stateKey: string): Promise<number | undefined> {
    const name = pairName(type, stateKey);
    const cached = this.#pairNids.get(name) ?? this.#unstored.get(name)?.pairNid;
    if (cached !== undefined || this.#absentPairs.has(name)) return cached;
    const nid = await this.#store.findStatePair(type, stateKey);
    if (nid !== undefined) this.#pairNids.set(name, nid);
    // It may have been made while storage was asked.
    else if (!this.#pairNids.has(name) && !this.#unstored.has(name)) this.#absentPairs.set(name, true);
    return nid;
  }

  /** @throws Error for an integer that was never given out */
  userId(userNid: number): Promise<string> {
    return known(this.#userIds, userNid, () => this.#store.userId(userNid));
  }

  /** The same for a user of this server; `undefined` for those of others. */
  async localUserId(userNid: number): Promise<string | undefined> {
    const userId = await this.userId(userNid);
    return this.#isLocal(userId) ? userId : undefined;
  }

  /** @throws Error for an integer that was never given out */
  eventType(typeNid: number): Promise<string> {
    return known(this.#types, typeNid, () => this.#store.eventType(typeNid));
  }

  /** @throws Error for an integer that was never given out */
  statePair(pairNid: number): Promise<StatePair> {
    return known(this.#pairs, pairNid, () => this.#store.statePair(pairNid));
  }
}

/** Unambiguous whatever characters both hold. */
function pairName(type: string, stateKey: string): string {
  return `${type.length} ${type}${stateKey}`;
}

async function found(
  cache: LRUCache<string, number>,
  name: string,
  read: () => Promise<number | undefined>,
): Promise<number | undefined> {
  const cached = cache.get(name);
  if (cached !== undefined) return cached;
  const nid = await read();
  if (nid !== undefined) cache.set(name, nid);
  return nid;
}

async function known<Value extends string | StatePair>(
  cache: LRUCache<number, Value>,
  nid: number,
  read: () => Promise<Value | undefined>,
): Promise<Value> {
  const cached = cache.get(nid);
  if (cached !== undefined) return cached;
  const value = await read();
  if (value === undefined) throw new Error(`nothing has the integer ID ${nid}`);
  cache.set(nid, value);
  return value;
}
