import { boundedCache } from "../../cache/bounded-cache.ts";
import { withinTime } from "../../concurrency/within-time.ts";
import { RestingServers } from "../resting-servers.ts";
import type { SigningKey, VerifyKey } from "../../protocol/ed25519.ts";
import type { ServerName } from "../../protocol/identifiers.ts";
import { encodeCanonicalJson } from "../../protocol/canonical-json.ts";
import type { JsonObject, JsonValue } from "../../protocol/json.ts";
import type { ServerKeyRow, ServerKeyStore } from "../../storage/server-keys.ts";
import type { Clock } from "../../telemetry/clock.ts";
import {
  type DocumentedKey,
  type KeyDocument,
  readKeyDocument,
  serverOfDocument,
  verifyKeyOf,
} from "./key-document.ts";

/** Where documents of keys come from. Both answer `undefined` when there is nothing to be had. */
export interface KeySource {
  /** What a server itself says (`GET /_matrix/key/v2/server`). */
  fromServer(serverName: ServerName): Promise<JsonValue | undefined>;
  /** What trusted servers say of another (`POST /_matrix/key/v2/query`). */
  fromNotaries(
    serverName: ServerName,
    keyIds: readonly string[],
    minimumValidUntilTs: number,
  ): Promise<JsonValue[]>;
}

export interface KeyringParts {
  readonly ownName: ServerName;
  readonly ownKey: SigningKey;
  readonly store: ServerKeyStore;
  readonly source: KeySource;
  readonly clock: Clock;
}

/** What is known of one server's keys. */
interface KnownServer {
  readonly keys: ReadonlyMap<string, DocumentedKey & { readonly fetchedTs: number }>;
}

/** Everybody in a big room signs: their keys are asked for with every event. */
const cachedServers = 10_000;
/** A key counts for a week at most from when it was last seen (server-server API, "Publishing Keys"). */
const maxValidityMs = 7 * 24 * 60 * 60 * 1000;
/** A server that gives no usable answer is not asked again for so long: anybody can make us ask. */
const restMs = 60_000;
/** A server that has not answered by then may be gone: notaries are asked as well. */
const patienceMs = 1_000;

/** The keys of other servers: from memory, from storage, from themselves, and from notaries, in that order. */
export class Keyring {
  readonly #parts: KeyringParts;
  readonly #known = boundedCache<string, KnownServer>(cachedServers);
  readonly #resting: RestingServers;
  readonly #fetching = new Map<string, Promise<void>>();
  readonly #own: VerifyKey | undefined;

  constructor(parts: KeyringParts) {
    this.#parts = parts;
    this.#resting = new RestingServers(restMs, parts.clock);
    this.#own = verifyKeyOf(parts.ownKey.keyId, parts.ownKey.publicKey);
  }

  /**
   * Those of a server's keys that are known by some IDs and count for a moment.
   * @param keyIds at most a handful
   * @param atTs the moment, in milliseconds since the epoch; `undefined` where any time will do (room versions 1 to 4)
   */
  async keysOf(
    serverName: ServerName,
    keyIds: readonly string[],
    atTs: number | undefined,
  ): Promise<VerifyKey[]> {
    if (serverName === this.#parts.ownName)
      return this.#own && keyIds.includes(this.#own.keyId) ? [this.#own] : [];
    const known = await this.#load(serverName);
    const found = usable(known, keyIds, atTs);
    if (found.length === keyIds.length) return found;
    await this.#fetch(serverName, keyIds, atTs);
    return usable(await this.#load(serverName), keyIds, atTs);
  }

  /**
   * The documents that tell of a server's keys, for those who ask this server for them.
   * @param keyIds all that are known when there are none
   * @param minimumValidUntilTs how long the keys have to count at least, or the server is asked anew
   */
  async documentsOf(
    serverName: ServerName,
    keyIds: readonly string[],
    minimumValidUntilTs: number,
  ): Promise<string[]> {
    const isEnough = (rows: readonly ServerKeyRow[]) =>
      rows.some(({ validUntilTs }) => validUntilTs >= minimumValidUntilTs) &&
      keyIds.every((keyId) => rows.some((row) => row.keyId === keyId));
    let rows = await this.#parts.store.keysOf(serverName);
    if (!isEnough(rows)) {
      await this.#fetch(serverName, keyIds, minimumValidUntilTs);
      rows = await this.#parts.store.keysOf(serverName);
    }
    const asked = keyIds.length === 0 ? rows : rows.filter(({ keyId }) => keyIds.includes(keyId));
    return [...new Set(asked.map(({ document }) => document))];
  }

  async #load(serverName: ServerName): Promise<KnownServer> {
    const cached = this.#known.get(serverName);
    if (cached) return cached;
    const keys = new Map<string, DocumentedKey & { readonly fetchedTs: number }>();
    for (const { keyId, publicKey, validUntilTs, fetchedTs } of await this.#parts.store.keysOf(serverName)) {
      const key = verifyKeyOf(keyId, publicKey);
      if (key) keys.set(keyId, { key, validUntilTs, fetchedTs });
    }
    const known = { keys };
    this.#known.set(serverName, known);
    return known;
  }

  /** Whoever needs keys of a server while they are being fetched waits for the same answer. */
  async #fetch(serverName: ServerName, keyIds: readonly string[], atTs = 0): Promise<void> {
    if (this.#resting.has(serverName)) return;
    const underWay = this.#fetching.get(serverName);
    if (underWay) return underWay;
    const fetching = this.#fetchNow(serverName, keyIds, atTs).finally(() =>
      this.#fetching.delete(serverName),
    );
    this.#fetching.set(serverName, fetching);
    return fetching;
  }

  async #fetchNow(serverName: ServerName, keyIds: readonly string[], atTs: number): Promise<void> {
    const { source, clock } = this.#parts;
    const isThere = async () => usable(await this.#load(serverName), keyIds, atTs).length === keyIds.length;
    const askServer = async () => this.#remember(serverName, [await source.fromServer(serverName)]);
    const direct = askServer();
    const answered = direct.catch(() => undefined);
    const askNotaries = async () => {
      await withinTime(clock, patienceMs, answered, undefined);
      if (await isThere()) return;
      await this.#remember(serverName, await source.fromNotaries(serverName, keyIds, atTs));
    };
    // Old keys do not change: whoever lacks them will lack them for some time.
    if (!(await oneBrings([direct, askNotaries()], isThere))) this.#resting.add(serverName);
  }

  async #remember(serverName: ServerName, documents: readonly (JsonValue | undefined)[]): Promise<void> {
    const fetchedTs = this.#parts.clock.nowMs();
    const rows: ServerKeyRow[] = [];
    for (const json of documents) {
      const document = readKeyDocument(json, serverName, fetchedTs + maxValidityMs);
      if (document) rows.push(...rowsOf(document, fetchedTs));
    }
    if (rows.length === 0) return;
    await this.#parts.store.remember(rows);
    this.#known.delete(serverName);
  }
}

/** Whether something is there once one of several works has brought it: the others are not waited for then. */
function oneBrings(works: readonly Promise<void>[], isThere: () => Promise<boolean>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let left = works.length;
    const waitFor = async (work: Promise<void>) => {
      await work;
      const found = await isThere();
      left -= 1;
      if (found || left === 0) resolve(found);
    };
    for (const work of works) waitFor(work).catch(reject);
  });
}

function usable({ keys }: KnownServer, keyIds: readonly string[], atTs: number | undefined): VerifyKey[] {
  const found: VerifyKey[] = [];
  for (const keyId of keyIds) {
    const known = keys.get(keyId);
    if (known && (atTs === undefined || known.validUntilTs >= atTs)) found.push(known.key);
  }
  return found;
}

function rowsOf({ serverName, keys, json }: KeyDocument, fetchedTs: number): ServerKeyRow[] {
  const document = encodeCanonicalJson(json, { strict: false });
  return keys.map(({ key, validUntilTs }) => ({
    serverName,
    keyId: key.keyId,
    publicKey: key.publicKey,
    validUntilTs,
    fetchedTs,
    document,
  }));
}

/** Reads what a notary answers: documents that are not of the server asked for are left out. */
export function documentsFromNotary(answer: JsonObject, serverName: ServerName): JsonValue[] {
  const documents = answer["server_keys"];
  if (!Array.isArray(documents)) return [];
  return documents.filter((json) => serverOfDocument(json) === serverName).slice(0, maxDocumentsOfServer);
}

const maxDocumentsOfServer = 20;
