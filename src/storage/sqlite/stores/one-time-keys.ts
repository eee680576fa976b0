import { isJsonObject, type JsonValue } from "../../../protocol/json.ts";
import { signedJsonText } from "../../../protocol/json-signing.ts";
import type { KeyClaim, OneTimeKey, OneTimeKeyCounts, OneTimeKeyStatus } from "../../device-keys.ts";
import type { Connection } from "../engine/connection.ts";
import type { WriteTransaction } from "../engine/operations.ts";

function findOneTimeKey(
  db: Connection,
  userNid: number,
  deviceId: string,
  { algorithm, keyId }: OneTimeKey,
): OneTimeKey | undefined {
  return db.get<OneTimeKey>(
    `SELECT algorithm, key_id AS keyId, key FROM one_time_keys
     WHERE user_nid = ? AND device_id = ? AND algorithm = ? AND key_id = ?`,
    userNid,
    deviceId,
    algorithm,
    keyId,
  );
}

/** Which of the keys are new. Names the first that has the ID of another key. */
export function newOneTimeKeys(
  db: Connection,
  userNid: number,
  deviceId: string,
  keys: readonly OneTimeKey[],
): { readonly fresh: OneTimeKey[]; readonly conflict?: { existing: OneTimeKey; uploaded: OneTimeKey } } {
  const fresh: OneTimeKey[] = [];
  for (const uploaded of keys) {
    const existing = findOneTimeKey(db, userNid, deviceId, uploaded);
    if (!existing) fresh.push(uploaded);
    else if (!isSameKey(existing.key, uploaded.key)) return { fresh, conflict: { existing, uploaded } };
  }
  return { fresh };
}

/** A client that did not get the answer to its upload may sign the same key again. */
function isSameKey(existing: string, uploaded: string): boolean {
  return existing === uploaded || keyText(existing) === keyText(uploaded);
}

function keyText(json: string): string {
  const key = JSON.parse(json) as JsonValue;
  return isJsonObject(key) ? signedJsonText(key) : JSON.stringify(key);
}

export function addOneTimeKeys(
  { db }: WriteTransaction,
  userNid: number,
  deviceId: string,
  keys: readonly OneTimeKey[],
): void {
  for (const { algorithm, keyId, key } of keys) {
    db.run(
      "INSERT INTO one_time_keys (user_nid, device_id, algorithm, key_id, key) VALUES (?, ?, ?, ?, ?)",
      userNid,
      deviceId,
      algorithm,
      keyId,
      key,
    );
  }
}

/** Replaces fallback keys. A key that is uploaded again keeps its mark of being used. Returns how many are new. */
export function setFallbackKeys(
  { db }: WriteTransaction,
  userNid: number,
  deviceId: string,
  keys: readonly OneTimeKey[],
): number {
  let replaced = 0;
  for (const { algorithm, keyId, key } of keys) {
    const existing = db.get<{ keyId: string; key: string }>(
      "SELECT key_id AS keyId, key FROM fallback_keys WHERE user_nid = ? AND device_id = ? AND algorithm = ?",
      userNid,
      deviceId,
      algorithm,
    );
    if (existing?.keyId === keyId && isSameKey(existing.key, key)) continue;
    replaced += db.run(
      "INSERT OR REPLACE INTO fallback_keys (user_nid, device_id, algorithm, key_id, key) VALUES (?, ?, ?, ?, ?)",
      userNid,
      deviceId,
      algorithm,
      keyId,
      key,
    );
  }
  return replaced;
}

/** Part of every transaction after which a device has other one-time or fallback keys. */
export function recordOneTimeKeyChange(tx: WriteTransaction, userNid: number, deviceId: string): void {
  tx.db.run(
    `INSERT INTO one_time_key_changes (user_nid, device_id, position) VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET position = excluded.position`,
    userNid,
    deviceId,
    tx.position("oneTimeKeys", userNid),
  );
}

export function oneTimeKeyCounts(db: Connection, userNid: number, deviceId: string): OneTimeKeyCounts {
  const rows = db.all<{ algorithm: string; count: number }>(
    `SELECT algorithm, count(*) AS count FROM one_time_keys INDEXED BY one_time_keys_age
     WHERE user_nid = ? AND device_id = ? GROUP BY algorithm`,
    userNid,
    deviceId,
  );
  return Object.fromEntries(rows.map(({ algorithm, count }) => [algorithm, count]));
}

export function oneTimeKeyStatus(db: Connection, userNid: number, deviceId: string): OneTimeKeyStatus {
  const unused = db.all<{ algorithm: string }>(
    "SELECT algorithm FROM fallback_keys WHERE user_nid = ? AND device_id = ? AND used = 0",
    userNid,
    deviceId,
  );
  const change = db.get<{ position: number }>(
    "SELECT position FROM one_time_key_changes WHERE user_nid = ? AND device_id = ?",
    userNid,
    deviceId,
  );
  return {
    counts: oneTimeKeyCounts(db, userNid, deviceId),
    unusedFallbackTypes: unused.map(({ algorithm }) => algorithm),
    position: change?.position ?? 0,
  };
}

/** Takes one key of a device; see `DeviceKeyStore.claim`. */
export function claimKey(tx: WriteTransaction, claim: KeyClaim): OneTimeKey | null {
  const key = takeOneTimeKey(tx.db, claim);
  if (key) {
    recordOneTimeKeyChange(tx, claim.userNid, claim.deviceId);
    return key;
  }
  return useFallbackKey(tx, claim);
}

function takeOneTimeKey(db: Connection, { userNid, deviceId, algorithm }: KeyClaim): OneTimeKey | null {
  const row = db.get<{ nid: number; keyId: string; key: string }>(
    `SELECT key_nid AS nid, key_id AS keyId, key FROM one_time_keys INDEXED BY one_time_keys_age
     WHERE user_nid = ? AND device_id = ? AND algorithm = ? ORDER BY key_nid LIMIT 1`,
    userNid,
    deviceId,
    algorithm,
  );
  if (!row) return null;
  db.run("DELETE FROM one_time_keys WHERE key_nid = ?", row.nid);
  return { algorithm, keyId: row.keyId, key: row.key };
}

function useFallbackKey(tx: WriteTransaction, { userNid, deviceId, algorithm }: KeyClaim): OneTimeKey | null {
  const row = tx.db.get<{ keyId: string; key: string; used: number }>(
    "SELECT key_id AS keyId, key, used FROM fallback_keys WHERE user_nid = ? AND device_id = ? AND algorithm = ?",
    userNid,
    deviceId,
    algorithm,
  );
  if (!row) return null;
  if (row.used === 0) {
    tx.db.run(
      "UPDATE fallback_keys SET used = 1 WHERE user_nid = ? AND device_id = ? AND algorithm = ?",
      userNid,
      deviceId,
      algorithm,
    );
    recordOneTimeKeyChange(tx, userNid, deviceId);
  }
  return { algorithm, keyId: row.keyId, key: row.key };
}

/** Forgets the one-time and fallback keys of a device. */
export function deleteOneTimeKeys({ db }: WriteTransaction, userNid: number, deviceId: string): void {
  db.run("DELETE FROM one_time_keys WHERE user_nid = ? AND device_id = ?", userNid, deviceId);
  db.run("DELETE FROM fallback_keys WHERE user_nid = ? AND device_id = ?", userNid, deviceId);
}
