import type {
  BackedUpKey,
  KeyBackup,
  KeyBackupStore,
  KeyCursor,
  KeyPage,
  KeyRange,
  PutKeysOutcome,
} from "../../key-backups.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";

const columns = "version, algorithm, auth_data AS authData, etag, key_count AS count";

function find(db: Connection, userNid: number, version: number): KeyBackup | undefined {
  return db.get<KeyBackup>(
    `SELECT ${columns} FROM key_backups WHERE user_nid = ? AND version = ?`,
    userNid,
    version,
  );
}

/** "Keys can only be written to the most recently created version of the backup." */
function current(db: Connection, userNid: number): KeyBackup | undefined {
  return db.get<KeyBackup>(
    `SELECT ${columns} FROM key_backups WHERE user_nid = ? ORDER BY version DESC LIMIT 1`,
    userNid,
  );
}

function newestEver(db: Connection, userNid: number): number {
  const row = db.get<{ version: number }>(
    "SELECT version FROM key_backup_versions WHERE user_nid = ?",
    userNid,
  );
  return row?.version ?? 0;
}

function create(
  { db }: WriteTransaction,
  userNid: number,
  algorithm: string,
  authData: string,
  maxBackups: number,
): number | undefined {
  const row = db.get<{ count: number }>(
    "SELECT count(*) AS count FROM key_backups WHERE user_nid = ?",
    userNid,
  );
  if ((row?.count ?? 0) >= maxBackups) return undefined;
  const version = newestEver(db, userNid) + 1;
  db.run("INSERT OR REPLACE INTO key_backup_versions (user_nid, version) VALUES (?, ?)", userNid, version);
  db.run(
    "INSERT INTO key_backups (user_nid, version, algorithm, auth_data) VALUES (?, ?, ?, ?)",
    userNid,
    version,
    algorithm,
    authData,
  );
  return version;
}

function update(
  { db }: WriteTransaction,
  userNid: number,
  version: number,
  algorithm: string,
  authData: string,
): "updated" | "no-backup" | "other-algorithm" {
  const backup = find(db, userNid, version);
  if (!backup) return "no-backup";
  if (backup.algorithm !== algorithm) return "other-algorithm";
  db.run(
    "UPDATE key_backups SET auth_data = ? WHERE user_nid = ? AND version = ?",
    authData,
    userNid,
    version,
  );
  return "updated";
}

function putKeys(
  { db }: WriteTransaction,
  userNid: number,
  version: number,
  keys: readonly BackedUpKey[],
  maxKeys: number,
): PutKeysOutcome {
  const newest = current(db, userNid);
  if (!newest || !find(db, userNid, version)) return { stored: false, reason: "no-backup" };
  if (newest.version !== version) {
    return { stored: false, reason: "wrong-version", currentVersion: newest.version };
  }
  const mayFill = newest.count + keys.length > maxKeys;
  if (mayFill && newest.count + countNew(db, userNid, version, keys) > maxKeys) {
    return { stored: false, reason: "full" };
  }
  let added = 0;
  let changed = 0;
  for (const key of keys) {
    if (!hasKey(db, userNid, version, key)) added += 1;
    changed += putKey(db, userNid, version, key);
  }
  return { stored: true, ...recordChange(db, userNid, newest, changed, added) };
}

function hasKey(db: Connection, userNid: number, version: number, key: KeyCursor): boolean {
  return findKey(db, userNid, version, key.roomId, key.sessionId) !== undefined;
}

function countNew(db: Connection, userNid: number, version: number, keys: readonly BackedUpKey[]): number {
  return keys.filter((key) => !hasKey(db, userNid, version, key)).length;
}

/**
 * Stores a key unless there is a better one: "it will keep the key that has is_verified set to true", then "the key with
 * a lower first_message_index", then "the key with a lower forwarded_count". Returns the number of changed rows.
 */
function putKey(db: Connection, userNid: number, version: number, key: BackedUpKey): number {
  return db.run(
    `INSERT INTO key_backup_keys AS old
       (user_nid, version, room_id, session_id, is_verified, first_message_index, forwarded_count, data)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET is_verified = excluded.is_verified, data = excluded.data,
       first_message_index = excluded.first_message_index, forwarded_count = excluded.forwarded_count
     WHERE (excluded.is_verified, -excluded.first_message_index, -excluded.forwarded_count)
       > (old.is_verified, -old.first_message_index, -old.forwarded_count)`,
    userNid,
    version,
    key.roomId,
    key.sessionId,
    key.isVerified ? 1 : 0,
    key.firstMessageIndex,
    key.forwardedCount,
    key.data,
  );
}

/** What the backup is after a change of its keys: `added` is negative when keys have gone. */
function recordChange(
  db: Connection,
  userNid: number,
  { version, etag, count }: KeyBackup,
  changed: number,
  added: number,
): { etag: number; count: number } {
  if (changed === 0) return { etag, count };
  const after = { etag: etag + 1, count: count + added };
  db.run(
    "UPDATE key_backups SET etag = ?, key_count = ? WHERE user_nid = ? AND version = ?",
    after.etag,
    after.count,
    userNid,
    version,
  );
  return after;
}

function findKey(
  db: Connection,
  userNid: number,
  version: number,
  roomId: string,
  sessionId: string,
): string | undefined {
  return db.get<{ data: string }>(
    "SELECT data FROM key_backup_keys WHERE user_nid = ? AND version = ? AND room_id = ? AND session_id = ?",
    userNid,
    version,
    roomId,
    sessionId,
  )?.data;
}

function listKeys(
  db: Connection,
  userNid: number,
  version: number,
  roomId: string | null,
  after: KeyCursor | null,
  limit: number,
): KeyPage {
  const sessionId = after?.sessionId ?? "";
  const selection = "SELECT room_id AS roomId, session_id AS sessionId, data FROM key_backup_keys";
  const keys =
    roomId === null
      ? db.all<KeyPage["keys"][number]>(
          `${selection} WHERE user_nid = ? AND version = ? AND (room_id, session_id) > (?, ?)
           ORDER BY room_id, session_id LIMIT ?`,
          userNid,
          version,
          after?.roomId ?? "",
          sessionId,
          limit,
        )
      : db.all<KeyPage["keys"][number]>(
          `${selection} WHERE user_nid = ? AND version = ? AND room_id = ? AND session_id > ?
           ORDER BY session_id LIMIT ?`,
          userNid,
          version,
          roomId,
          sessionId,
          limit,
        );
  const last = keys.length === limit ? keys.at(-1) : undefined;
  return { keys, next: last ? { roomId: last.roomId, sessionId: last.sessionId } : null };
}

function deleteKeys(
  { db }: WriteTransaction,
  userNid: number,
  version: number,
  { roomId, sessionId }: KeyRange,
  limit: number,
): { etag: number; count: number; deleted: number } | undefined {
  const backup = find(db, userNid, version);
  if (!backup) return undefined;
  const deleted = db.run(
    `DELETE FROM key_backup_keys WHERE (user_nid, version, room_id, session_id) IN (
       SELECT user_nid, version, room_id, session_id FROM key_backup_keys
       WHERE user_nid = ?1 AND version = ?2 AND (?3 IS NULL OR room_id = ?3) AND (?4 IS NULL OR session_id = ?4)
       LIMIT ?5)`,
    userNid,
    version,
    roomId,
    sessionId,
    limit,
  );
  return { ...recordChange(db, userNid, backup, deleted, -deleted), deleted };
}

/** False when there never was such a version; "if the backup was previously deleted, the call should succeed". */
function deleteBackup({ db }: WriteTransaction, userNid: number, version: number): boolean {
  const deleted = db.run("DELETE FROM key_backups WHERE user_nid = ? AND version = ?", userNid, version);
  return deleted > 0 || (version >= 1 && version <= newestEver(db, userNid));
}

function purge({ db }: WriteTransaction, userNid: number, limit: number): number {
  const version = oldestDeletedWithKeys(db, userNid);
  if (version === undefined) return 0;
  return db.run(
    `DELETE FROM key_backup_keys WHERE (user_nid, version, room_id, session_id) IN (
       SELECT user_nid, version, room_id, session_id FROM key_backup_keys
       WHERE user_nid = ? AND version = ? LIMIT ?)`,
    userNid,
    version,
    limit,
  );
}

/** Steps from version to version instead of reading all keys. */
function oldestDeletedWithKeys(db: Connection, userNid: number): number | undefined {
  let version: number | undefined = 0;
  while (version !== undefined) {
    const row: { version: number } | undefined = db.get<{ version: number }>(
      "SELECT version FROM key_backup_keys WHERE user_nid = ? AND version > ? ORDER BY version LIMIT 1",
      userNid,
      version,
    );
    version = row?.version;
    if (version !== undefined && !find(db, userNid, version)) return version;
  }
  return undefined;
}

export const keyBackupOperations: StoreOperations<KeyBackupStore> = {
  create: write(create),
  current: point(current),
  find: point(find),
  update: write(update),
  delete: write(deleteBackup),
  purge: write(purge),
  putKeys: write(putKeys),
  findKey: point(findKey),
  listKeys: scan(listKeys),
  deleteKeys: write(deleteKeys),
};
