import type { KeyBackupDataJson } from "../api/client/key-backup.ts";
import type { JsonObject } from "../protocol/json.ts";
import { isRoomId } from "../protocol/identifiers.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import type { BackedUpKey, KeyBackup, KeyBackupStore, KeyPage, KeyRange } from "../storage/key-backups.ts";

/** Sessions of rooms with their keys. */
export type KeysByRoom = Readonly<Record<string, { readonly sessions: KeysBySession }>>;
export type KeysBySession = Readonly<Record<string, KeyBackupDataJson>>;

/** What a backup is after a change of its keys. */
export interface BackupState {
  readonly etag: string;
  readonly count: number;
}

/** Clients keep one; some keep old ones when they make a new one. */
const maxBackups = 50;
const maxKeys = 500_000;
const maxSessionIdBytes = 255;
/** A key has less than 1 KiB. */
const maxKeyBytes = 16 * 1024;
/** So many keys are stored, read or deleted at once: others wait for the writer and the reading workers too. */
const keysAtOnce = 500;

/** Server-side backups of room keys (client-server API, "Server-side key backups"). */
export class KeyBackups {
  readonly #store: KeyBackupStore;

  constructor(store: KeyBackupStore) {
    this.#store = store;
  }

  /**
   * Makes a backup, which is the current one from then on. Returns its version.
   * @throws MatrixError M_TOO_LARGE when the user has too many.
   */
  async create(userNid: number, algorithm: string, authData: JsonObject): Promise<string> {
    await this.#purge(userNid);
    const version = await this.#store.create(userNid, algorithm, JSON.stringify(authData), maxBackups);
    if (version !== undefined) return String(version);
    throw new MatrixError("M_TOO_LARGE", `You may have at most ${maxBackups} backups: delete old ones`);
  }

  /** @throws MatrixError M_NOT_FOUND. */
  async current(userNid: number): Promise<KeyBackup> {
    return found(await this.#store.current(userNid));
  }

  /** @throws MatrixError M_NOT_FOUND. */
  async find(userNid: number, version: string): Promise<KeyBackup> {
    return found(await this.#store.find(userNid, numberOf(version)));
  }

  /** @throws MatrixError M_NOT_FOUND, M_INVALID_PARAM when the backup has another algorithm. */
  async update(userNid: number, version: string, algorithm: string, authData: JsonObject): Promise<void> {
    const number = numberOf(version);
    const outcome = await this.#store.update(userNid, number, algorithm, JSON.stringify(authData));
    if (outcome === "no-backup") throw noBackup();
    if (outcome === "other-algorithm") {
      throw new MatrixError("M_INVALID_PARAM", "The algorithm of a backup cannot be changed");
    }
  }

  /** Deletes a backup with its keys; one that was deleted before is no matter. @throws MatrixError M_NOT_FOUND. */
  async delete(userNid: number, version: string): Promise<void> {
    if (!(await this.#store.delete(userNid, numberOf(version)))) throw noBackup();
    await this.#purge(userNid);
  }

  /**
   * Stores keys in the current backup; better keys that it has stay.
   * @throws MatrixError M_NOT_FOUND, M_WRONG_ROOM_KEYS_VERSION, M_INVALID_PARAM, M_TOO_LARGE.
   */
  async putKeys(userNid: number, version: string, keysByRoom: KeysByRoom): Promise<BackupState> {
    const number = numberOf(version);
    const keys = Object.entries(keysByRoom).flatMap(([roomId, { sessions }]) =>
      Object.entries(sessions).map(([sessionId, data]) => backedUpKey(roomId, sessionId, data)),
    );
    let state = await this.#putSome(userNid, number, keys.slice(0, keysAtOnce));
    for (let first = keysAtOnce; first < keys.length; first += keysAtOnce) {
      state = await this.#putSome(userNid, number, keys.slice(first, first + keysAtOnce));
    }
    return state;
  }

  /** The data of one session's key, as JSON. @throws MatrixError M_NOT_FOUND. */
  async findKey(userNid: number, version: string, roomId: string, sessionId: string): Promise<string> {
    const data = await this.#store.findKey(userNid, numberOf(version), roomId, sessionId);
    if (data === undefined) throw new MatrixError("M_NOT_FOUND", "The backup has no key for this session");
    return data;
  }

  /**
   * The keys of a backup by room and session, page by page: of all rooms, or of one.
   * @throws MatrixError M_NOT_FOUND before the first page.
   */
  async *listKeys(
    userNid: number,
    version: string,
    roomId: string | null,
  ): AsyncGenerator<KeyPage["keys"], void, undefined> {
    const backup = await this.find(userNid, version);
    let page = await this.#store.listKeys(userNid, backup.version, roomId, null, keysAtOnce);
    yield page.keys;
    while (page.next) {
      page = await this.#store.listKeys(userNid, backup.version, roomId, page.next, keysAtOnce);
      yield page.keys;
    }
  }

  /** Deletes keys: all, those of a room, or that of a session. @throws MatrixError M_NOT_FOUND. */
  async deleteKeys(userNid: number, version: string, range: KeyRange): Promise<BackupState> {
    const number = numberOf(version);
    let left = await this.#store.deleteKeys(userNid, number, range, keysAtOnce);
    while (left?.deleted === keysAtOnce) {
      left = await this.#store.deleteKeys(userNid, number, range, keysAtOnce);
    }
    if (!left) throw noBackup();
    return { etag: String(left.etag), count: left.count };
  }

  async #putSome(userNid: number, version: number, keys: readonly BackedUpKey[]): Promise<BackupState> {
    const outcome = await this.#store.putKeys(userNid, version, keys, maxKeys);
    if (outcome.stored) return { etag: String(outcome.etag), count: outcome.count };
    if (outcome.reason === "no-backup") throw noBackup();
    if (outcome.reason === "full") {
      throw new MatrixError("M_TOO_LARGE", `A backup may have at most ${maxKeys} keys`);
    }
    throw new MatrixError("M_WRONG_ROOM_KEYS_VERSION", "There is a newer backup: keys go into that", {
      current_version: String(outcome.currentVersion),
    });
  }

  /** What a deletion that broke off has left goes with the next one, or when a new backup is made. */
  async #purge(userNid: number): Promise<void> {
    while ((await this.#store.purge(userNid, keysAtOnce)) > 0) continue;
  }
}

const versionGrammar = /^[1-9]\d{0,14}$/;

/** Versions are numbers, which clients need not know: what is none is a backup that does not exist. */
function numberOf(version: string): number {
  if (versionGrammar.test(version)) return Number(version);
  throw noBackup();
}

function found(backup: KeyBackup | undefined): KeyBackup {
  if (backup) return backup;
  throw noBackup();
}

function noBackup(): MatrixError {
  return new MatrixError("M_NOT_FOUND", "There is no such backup");
}

function backedUpKey(roomId: string, sessionId: string, json: KeyBackupDataJson): BackedUpKey {
  if (!isRoomId(roomId)) throw new MatrixError("M_INVALID_PARAM", "Rooms are named like !room:server");
  const sessionIdBytes = Buffer.byteLength(sessionId);
  if (sessionIdBytes === 0 || sessionIdBytes > maxSessionIdBytes) {
    throw new MatrixError("M_INVALID_PARAM", `A session ID has 1 to ${maxSessionIdBytes} bytes`);
  }
  const data = JSON.stringify(json);
  if (Buffer.byteLength(data) > maxKeyBytes) {
    throw new MatrixError("M_TOO_LARGE", `A backed-up key may have at most ${maxKeyBytes} bytes`);
  }
  return {
    roomId,
    sessionId,
    isVerified: json.is_verified,
    firstMessageIndex: json.first_message_index,
    forwardedCount: json.forwarded_count,
    data,
  };
}
