import { isJsonObject, type JsonValue } from "../../../protocol/json.ts";
import { signedJsonText } from "../../../protocol/json-signing.ts";
import type { KeyClaim, OneTimeKey, OneTimeKeyCounts, OneTimeKeyStatus } from "../../device-keys.ts";
import type { Connection } from "../engine/connection.ts";
import type { WriteTransaction } from "../engine/operations.ts";

const waitingKeysSql = `
SELECT algorithm, key_id AS keyId, key FROM one_time_key_counts JOIN one_time_keys USING (user_nid, device_id, algorithm)
WHERE user_nid = ? AND device_id = ? AND number > claimed`;
const nextKeySql = `
SELECT key_id AS keyId, key FROM one_time_key_counts JOIN one_time_keys USING (user_nid, device_id, algorithm)
WHERE user_nid = ? AND device_id = ? AND algorithm = ? AND number = claimed + 1`;

/** Which of the keys are new. Names the first that has the ID of another key which waits to be claimed. */
export function newOneTimeKeys(
  db: Connection,
  userNid: number,
  deviceId: string,
  keys: readonly OneTimeKey[],
): { readonly fresh: OneTimeKey[]; readonly conflict?: { existing: OneTimeKey; uploaded: OneTimeKey } } {
  const waiting = new Map(
    db
      .all<OneTimeKey>(waitingKeysSql, userNid, deviceId)
      .map((existing) => [`${existing.algorithm}:${existing.keyId}`, existing]),
  );
  const fresh: OneTimeKey[] = [];
  for (const uploaded of keys) {
    const existing = waiting.get(`${uploaded.algorithm}:${uploaded.keyId}`);
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

/** Puts keys behind those that wait, in place of those that have been given out. */
export function addOneTimeKeys(
  tx: WriteTransaction,
  userNid: number,
  deviceId: string,
  keys: readonly OneTimeKey[],
): void {
  const { db } = tx;
  const byAlgorithm = Map.groupBy(keys, ({ algorithm }) => algorithm);
  for (const [algorithm, added] of byAlgorithm) {
    const counts = db.get<{ uploaded: number; claimed: number }>(
      "SELECT uploaded, claimed FROM one_time_key_counts WHERE user_nid = ? AND device_id = ? AND algorithm = ?",
      userNid,
      deviceId,
      algorithm,
    );
    db.run(
      "DELETE FROM one_time_keys WHERE user_nid = ? AND device_id = ? AND algorithm = ? AND number <= ?",
      userNid,
      deviceId,
      algorithm,
      counts?.claimed ?? 0,
    );
    let number = counts?.uploaded ?? 0;
    for (const { keyId, key } of added) {
      number += 1;
      db.run(
        "INSERT INTO one_time_keys (user_nid, device_id, algorithm, number, key_id, key) VALUES (?, ?, ?, ?, ?, ?)",
        userNid,
        deviceId,
        algorithm,
        number,
        keyId,
        key,
      );
    }
    db.run(
      `INSERT INTO one_time_key_counts (user_nid, device_id, algorithm, uploaded, position) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET uploaded = excluded.uploaded, position = excluded.position`,
      userNid,
      deviceId,
      algorithm,
      number,
      tx.position("oneTimeKeys", userNid),
    );
  }
}

/** Replaces fallback keys. A key that is uploaded again keeps its mark of being used. */
export function setFallbackKeys(
  tx: WriteTransaction,
  userNid: number,
  deviceId: string,
  keys: readonly OneTimeKey[],
): void {
  const { db } = tx;
  for (const { algorithm, keyId, key } of keys) {
    const existing = db.get<{ keyId: string; key: string }>(
      "SELECT key_id AS keyId, key FROM fallback_keys WHERE user_nid = ? AND device_id = ? AND algorithm = ?",
      userNid,
      deviceId,
      algorithm,
    );
    if (existing?.keyId === keyId && isSameKey(existing.key, key)) continue;
    db.run(
      "INSERT OR REPLACE INTO fallback_keys (user_nid, device_id, algorithm, key_id, key) VALUES (?, ?, ?, ?, ?)",
      userNid,
      deviceId,
      algorithm,
      keyId,
      key,
    );
    recordFallbackChange(tx, { userNid, deviceId, algorithm });
  }
}

function recordFallbackChange(tx: WriteTransaction, { userNid, deviceId, algorithm }: KeyClaim): void {
  tx.db.run(
    `INSERT INTO one_time_key_counts (user_nid, device_id, algorithm, position) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET position = excluded.position`,
    userNid,
    deviceId,
    algorithm,
    tx.position("oneTimeKeys", userNid),
  );
}

interface StoredCount {
  readonly algorithm: string;
  readonly waiting: number;
  readonly position: number;
}

function storedCounts(db: Connection, userNid: number, deviceId: string): StoredCount[] {
  return db.all<StoredCount>(
    `SELECT algorithm, uploaded - claimed AS waiting, position FROM one_time_key_counts
     WHERE user_nid = ? AND device_id = ?`,
    userNid,
    deviceId,
  );
}

function countsOf(rows: readonly StoredCount[]): OneTimeKeyCounts {
  const present = rows.filter(({ waiting }) => waiting > 0);
  return Object.fromEntries(present.map(({ algorithm, waiting }) => [algorithm, waiting]));
}

export function oneTimeKeyCounts(db: Connection, userNid: number, deviceId: string): OneTimeKeyCounts {
  return countsOf(storedCounts(db, userNid, deviceId));
}

export function oneTimeKeyStatus(db: Connection, userNid: number, deviceId: string): OneTimeKeyStatus {
  const unused = db.all<{ algorithm: string }>(
    "SELECT algorithm FROM fallback_keys WHERE user_nid = ? AND device_id = ? AND used = 0",
    userNid,
    deviceId,
  );
  const rows = storedCounts(db, userNid, deviceId);
  return {
    counts: countsOf(rows),
    unusedFallbackTypes: unused.map(({ algorithm }) => algorithm),
    position: Math.max(0, ...rows.map(({ position }) => position)),
  };
}

/** Takes one key of a device; see `DeviceKeyStore.claim`. */
export function claimKey(tx: WriteTransaction, claim: KeyClaim): OneTimeKey | null {
  return takeOneTimeKey(tx, claim) ?? useFallbackKey(tx, claim);
}

function takeOneTimeKey(
  tx: WriteTransaction,
  { userNid, deviceId, algorithm }: KeyClaim,
): OneTimeKey | undefined {
  const next = tx.db.get<Omit<OneTimeKey, "algorithm">>(nextKeySql, userNid, deviceId, algorithm);
  if (!next) return undefined;
  tx.db.run(
    `UPDATE one_time_key_counts SET claimed = claimed + 1, position = ?
     WHERE user_nid = ? AND device_id = ? AND algorithm = ?`,
    tx.position("oneTimeKeys", userNid),
    userNid,
    deviceId,
    algorithm,
  );
  return { algorithm, ...next };
}

function useFallbackKey(tx: WriteTransaction, claim: KeyClaim): OneTimeKey | null {
  const { userNid, deviceId, algorithm } = claim;
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
    recordFallbackChange(tx, claim);
  }
  return { algorithm, keyId: row.keyId, key: row.key };
}

/** Forgets the one-time and fallback keys of a device that goes on with others. */
export function dropOneTimeKeys(tx: WriteTransaction, userNid: number, deviceId: string): void {
  deleteKeys(tx.db, userNid, deviceId);
  tx.db.run(
    "UPDATE one_time_key_counts SET claimed = uploaded, position = ? WHERE user_nid = ? AND device_id = ?",
    tx.position("oneTimeKeys", userNid),
    userNid,
    deviceId,
  );
}

/** Part of the transactions that end a device. */
export function deleteOneTimeKeys(tx: WriteTransaction, userNid: number, deviceId: string): void {
  deleteKeys(tx.db, userNid, deviceId);
  const hadKeys = tx.db.run(
    "DELETE FROM one_time_key_counts WHERE user_nid = ? AND device_id = ?",
    userNid,
    deviceId,
  );
  // For those who keep counts in memory: the next device with this ID starts with none.
  if (hadKeys > 0) tx.position("oneTimeKeys", userNid);
}

function deleteKeys(db: Connection, userNid: number, deviceId: string): void {
  db.run("DELETE FROM one_time_keys WHERE user_nid = ? AND device_id = ?", userNid, deviceId);
  db.run("DELETE FROM fallback_keys WHERE user_nid = ? AND device_id = ?", userNid, deviceId);
}
