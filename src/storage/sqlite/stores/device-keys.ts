import { encodeCanonicalJson } from "../../../protocol/canonical-json.ts";
import type { JsonObject } from "../../../protocol/json.ts";
import type {
  CrossSigningKey,
  DeviceKeys,
  DeviceKeyStore,
  KeyClaim,
  KeyUpload,
  KeyUploadOutcome,
  PublicKeys,
  SignedText,
} from "../../device-keys.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";
import { recordCrossSigningChange, recordDeviceChanges, recordKeylessDeviceChange } from "./device-lists.ts";
import {
  addOneTimeKeys,
  claimKey,
  deleteOneTimeKeys,
  dropOneTimeKeys,
  newOneTimeKeys,
  oneTimeKeyCounts,
  oneTimeKeyStatus,
  setFallbackKeys,
} from "./one-time-keys.ts";
import { dropMasterKeySignature, mergeSignatures } from "./signatures.ts";

const devicesQuery = `
SELECT device_id AS deviceId, coalesce(devices.display_name, device_keys.display_name) AS displayName,
  signed, signatures
FROM device_keys LEFT JOIN devices USING (user_nid, device_id) WHERE user_nid = ? ORDER BY device_id`;
const crossSigningQuery = `
SELECT usage, public_key AS publicKey, signed, signatures FROM cross_signing_keys WHERE user_nid = ?`;

function publicKeysOf(db: Connection, userNid: number): PublicKeys {
  return {
    userNid,
    devices: db.all<DeviceKeys>(devicesQuery, userNid),
    crossSigning: db.all<CrossSigningKey>(crossSigningQuery, userNid),
  };
}

/** Part of every transaction that gives a device keys; see `DeviceKeyStore.upload`. */
export function uploadDeviceKeys(
  tx: WriteTransaction,
  userNid: number,
  deviceId: string,
  { deviceKeys, oneTimeKeys, fallbackKeys, maxOneTimeKeys }: KeyUpload,
): KeyUploadOutcome {
  const { db } = tx;
  if (!db.get("SELECT 1 FROM devices WHERE user_nid = ? AND device_id = ?", userNid, deviceId)) {
    return { stored: false, reason: "no-device" };
  }
  const existing = findDeviceKeys(db, userNid, deviceId);
  const isOther = deviceKeys !== null && existing !== undefined && hasOtherKeys(existing, deviceKeys);
  const kept = isOther ? {} : oneTimeKeyCounts(db, userNid, deviceId);
  const { fresh, conflict } = isOther
    ? { fresh: oneTimeKeys }
    : newOneTimeKeys(db, userNid, deviceId, oneTimeKeys);
  if (conflict) return { stored: false, reason: "key-exists", ...conflict };
  const waiting = Object.values(kept).reduce((sum, count) => sum + count, 0);
  if (fresh.length > 0 && waiting + fresh.length > maxOneTimeKeys)
    return { stored: false, reason: "too-many" };
  // Nobody can use one-time keys which an earlier identity has signed.
  if (isOther) dropOneTimeKeys(tx, userNid, deviceId);
  if (deviceKeys) setDeviceKeys(tx, userNid, deviceId, existing, deviceKeys);
  addOneTimeKeys(tx, userNid, deviceId, fresh);
  setFallbackKeys(tx, userNid, deviceId, fallbackKeys);
  return { stored: true, counts: oneTimeKeyCounts(db, userNid, deviceId) };
}

function findDeviceKeys(db: Connection, userNid: number, deviceId: string): SignedText | undefined {
  return db.get<SignedText>(
    "SELECT signed, signatures FROM device_keys WHERE user_nid = ? AND device_id = ?",
    userNid,
    deviceId,
  );
}

function hasOtherKeys(existing: SignedText, uploaded: SignedText): boolean {
  return existing.signed !== uploaded.signed && keysText(existing) !== keysText(uploaded);
}

function keysText({ signed }: SignedText): string {
  return encodeCanonicalJson((JSON.parse(signed) as JsonObject)["keys"] ?? null, { strict: false });
}

function setDeviceKeys(
  tx: WriteTransaction,
  userNid: number,
  deviceId: string,
  existing: SignedText | undefined,
  uploaded: SignedText,
): void {
  const isSame = existing?.signed === uploaded.signed;
  // The self-signing key's signature, among others, is not part of what a device uploads again.
  const signatures = isSame ? mergeSignatures(existing.signatures, uploaded.signatures) : uploaded.signatures;
  if (isSame && signatures === existing.signatures) return;
  tx.db.run(
    "INSERT OR REPLACE INTO device_keys (user_nid, device_id, signed, signatures) VALUES (?, ?, ?, ?)",
    userNid,
    deviceId,
    uploaded.signed,
    signatures,
  );
  recordDeviceChanges(tx, userNid, [deviceId]);
}

/**
 * Removes the keys of a device: part of every transaction that ends one. It is a change of the user's device list when
 * the device had identity keys.
 */
export function deleteDeviceKeys(tx: WriteTransaction, userNid: number, deviceId: string): void {
  const { db } = tx;
  deleteOneTimeKeys(tx, userNid, deviceId);
  const deleted = db.run("DELETE FROM device_keys WHERE user_nid = ? AND device_id = ?", userNid, deviceId);
  if (deleted === 0) {
    recordKeylessDeviceChange(tx, userNid, deviceId);
    return;
  }
  const wasSigner = dropMasterKeySignature(db, userNid, `ed25519:${deviceId}`);
  recordDeviceChanges(tx, userNid, [deviceId]);
  if (wasSigner) recordCrossSigningChange(tx, userNid);
}

/** Part of the transactions that rename a device that exists: its name is told with its keys, if it has any. */
export function recordDeviceRename(tx: WriteTransaction, userNid: number, deviceId: string): void {
  if (findDeviceKeys(tx.db, userNid, deviceId)) recordDeviceChanges(tx, userNid, [deviceId]);
  else recordKeylessDeviceChange(tx, userNid, deviceId);
}

export const deviceKeyOperations: StoreOperations<DeviceKeyStore> = {
  of: scan((db, userNids: readonly number[]) => userNids.map((userNid) => publicKeysOf(db, userNid))),
  upload: write(uploadDeviceKeys),
  claim: write((tx, claims: readonly KeyClaim[]) => claims.map((claim) => claimKey(tx, claim))),
  oneTimeKeyStatus: point(oneTimeKeyStatus),
};
