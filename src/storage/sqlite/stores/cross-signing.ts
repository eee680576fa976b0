import type {
  CrossSigningStore,
  CrossSigningUpload,
  CrossSigningUploadOutcome,
  OwnSignatures,
  StoredUserSignature,
  UserSignature,
} from "../../cross-signing.ts";
import type { CrossSigningKey, SignedText } from "../../device-keys.ts";
import type { Connection } from "../engine/connection.ts";
import { point, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";
import { recordCrossSigningChange, recordDeviceChanges } from "./device-lists.ts";
import { dropDeviceSignatures, mergeSignatures } from "./signatures.ts";

function keysOf(db: Connection, userNid: number): CrossSigningKey[] {
  return db.all<CrossSigningKey>(
    "SELECT usage, public_key AS publicKey, signed, signatures FROM cross_signing_keys WHERE user_nid = ?",
    userNid,
  );
}

function upload(
  tx: WriteTransaction,
  userNid: number,
  { keys, masterKey, authorised }: CrossSigningUpload,
): CrossSigningUploadOutcome {
  const { db } = tx;
  const existing = new Map(keysOf(db, userNid).map((key) => [key.usage, key]));
  const storedMaster = existing.get("master");
  const uploadedMaster = keys.find(({ usage }) => usage === "master");
  const changed = keys.filter((key) => existing.get(key.usage)?.signed !== key.signed);
  // "In other words, the request contains no new keys." Without a master key in it, it goes by the one that is stored.
  const isRepetition = changed.length === 0;
  if (storedMaster && !isRepetition && !authorised) return "needs-authorisation";
  if (!uploadedMaster && storedMaster?.publicKey !== masterKey) return "master-changed";
  if (keys.some(({ publicKey }) => hasDevice(db, userNid, publicKey))) return "device-has-key-id";
  if (changed.length === 0) return "stored";
  const replacesMaster = storedMaster !== undefined && changed.some(({ usage }) => usage === "master");
  if (replacesMaster) dropMasterKey(db, userNid);
  for (const key of replacesMaster ? keys : changed) setKey(db, userNid, key);
  recordDeviceChanges(tx, userNid, dropReplaced(db, userNid, [...existing.values()]));
  recordCrossSigningChange(tx, userNid);
  return "stored";
}

function hasDevice(db: Connection, userNid: number, deviceId: string): boolean {
  return (
    db.get("SELECT 1 FROM devices WHERE user_nid = ? AND device_id = ?", userNid, deviceId) !== undefined
  );
}

/** What a replaced master key has signed, and what has signed it, is worth nothing any more. */
function dropMasterKey(db: Connection, userNid: number): void {
  db.run("DELETE FROM cross_signing_keys WHERE user_nid = ?", userNid);
  db.run("DELETE FROM user_signatures WHERE target_nid = ?", userNid);
}

function setKey(
  db: Connection,
  userNid: number,
  { usage, publicKey, signed, signatures }: CrossSigningKey,
): void {
  db.run(
    "INSERT OR REPLACE INTO cross_signing_keys (user_nid, usage, public_key, signed, signatures) VALUES (?, ?, ?, ?, ?)",
    userNid,
    usage,
    publicKey,
    signed,
    signatures,
  );
}

/** Drops what keys have signed that are there no more. Returns the IDs of devices that have lost a signature. */
function dropReplaced(db: Connection, userNid: number, before: readonly CrossSigningKey[]): string[] {
  const current = new Set(keysOf(db, userNid).map(({ publicKey }) => publicKey));
  return before.flatMap(({ usage, publicKey }) => {
    if (current.has(publicKey)) return [];
    if (usage === "user_signing") db.run("DELETE FROM user_signatures WHERE signer_nid = ?", userNid);
    return usage === "self_signing" ? dropDeviceSignatures(db, userNid, `ed25519:${publicKey}`) : [];
  });
}

/**
 * For the transactions that store what another server tells: its user's keys as they are now.
 * @param isAll whether keys that are not told are gone
 * @returns whether anything is different afterwards
 */
export function changeCrossSigningKeys(
  db: Connection,
  userNid: number,
  told: readonly CrossSigningKey[],
  isAll: boolean,
): boolean {
  const before = keysOf(db, userNid);
  const isSame = (key: CrossSigningKey) =>
    before.some(({ usage, signed, signatures }) => {
      return usage === key.usage && signed === key.signed && signatures === key.signatures;
    });
  const changed = told.filter((key) => !isSame(key));
  const gone = isAll ? before.filter((key) => !told.some(({ usage }) => usage === key.usage)) : [];
  if (changed.length === 0 && gone.length === 0) return false;
  const master = before.find(({ usage }) => usage === "master");
  const newMaster = told.find(({ usage }) => usage === "master");
  const isOtherMaster = newMaster ? newMaster.publicKey !== master?.publicKey : isAll;
  const isReset = master !== undefined && isOtherMaster;
  if (isReset) dropMasterKey(db, userNid);
  for (const { usage } of gone) {
    db.run("DELETE FROM cross_signing_keys WHERE user_nid = ? AND usage = ?", userNid, usage);
  }
  for (const key of isReset ? told : changed) setKey(db, userNid, key);
  return true;
}

/** Forgets what a remote user's server has told; what local users have signed may be of use again. */
export function deleteRemoteCrossSigningKeys(db: Connection, userNid: number): void {
  db.run("DELETE FROM cross_signing_keys WHERE user_nid = ?", userNid);
}

function addOwnSignatures(
  tx: WriteTransaction,
  userNid: number,
  signatures: readonly OwnSignatures[],
): boolean[] {
  return signatures.map(({ deviceId, signed, signatures: added }) => {
    const stored = findSigned(tx.db, userNid, deviceId);
    if (stored?.signed !== signed) return false;
    const merged = mergeSignatures(stored.signatures, added);
    if (merged === stored.signatures) return true;
    setSignatures(tx.db, userNid, deviceId, merged);
    if (deviceId === null) recordCrossSigningChange(tx, userNid);
    else recordDeviceChanges(tx, userNid, [deviceId]);
    return true;
  });
}

function findSigned(db: Connection, userNid: number, deviceId: string | null): SignedText | undefined {
  return deviceId === null
    ? db.get<SignedText>(
        "SELECT signed, signatures FROM cross_signing_keys WHERE user_nid = ? AND usage = 'master'",
        userNid,
      )
    : db.get<SignedText>(
        "SELECT signed, signatures FROM device_keys WHERE user_nid = ? AND device_id = ?",
        userNid,
        deviceId,
      );
}

function setSignatures(db: Connection, userNid: number, deviceId: string | null, signatures: string): void {
  if (deviceId === null) {
    db.run(
      "UPDATE cross_signing_keys SET signatures = ? WHERE user_nid = ? AND usage = 'master'",
      signatures,
      userNid,
    );
    return;
  }
  db.run(
    "UPDATE device_keys SET signatures = ? WHERE user_nid = ? AND device_id = ?",
    signatures,
    userNid,
    deviceId,
  );
}

function addUserSignatures(
  tx: WriteTransaction,
  signerNid: number,
  signatures: readonly UserSignature[],
): boolean[] {
  const { db } = tx;
  const ownKey = keysOf(db, signerNid).find(({ usage }) => usage === "user_signing");
  return signatures.map(({ targetNid, signed, keyId, signature }) => {
    const target = keysOf(db, targetNid).find(({ usage }) => usage === "master");
    if (target?.signed !== signed || keyId !== `ed25519:${ownKey?.publicKey}`) return false;
    const known = db.get(
      "SELECT 1 FROM user_signatures WHERE signer_nid = ? AND target_nid = ? AND key_id = ? AND signature = ?",
      signerNid,
      targetNid,
      keyId,
      signature,
    );
    if (known) return true;
    db.run(
      `INSERT OR REPLACE INTO user_signatures (signer_nid, target_nid, target_key, key_id, signature, position)
       VALUES (?, ?, ?, ?, ?, ?)`,
      signerNid,
      targetNid,
      target.publicKey,
      keyId,
      signature,
      tx.position("userSignatures", signerNid),
    );
    return true;
  });
}

/** Forgets a user's cross-signing keys and what they have signed: for an account that ends. */
export function deleteCrossSigningKeys(tx: WriteTransaction, userNid: number): void {
  const { db } = tx;
  if (keysOf(db, userNid).length === 0) return;
  db.run("DELETE FROM user_signatures WHERE signer_nid = ?", userNid);
  dropMasterKey(db, userNid);
  recordCrossSigningChange(tx, userNid);
}

export const crossSigningOperations: StoreOperations<CrossSigningStore> = {
  keysOf: point(keysOf),
  isKeyOf: point(
    (db, userNid: number, deviceId: string) =>
      db.get("SELECT 1 FROM cross_signing_keys WHERE user_nid = ? AND public_key = ?", userNid, deviceId) !==
      undefined,
  ),
  upload: write(upload),
  addOwnSignatures: write(addOwnSignatures),
  addUserSignatures: write(addUserSignatures),
  userSignaturesOf: point((db, signerNid: number) =>
    db.all<StoredUserSignature>(
      `SELECT target_nid AS targetNid, target_key AS targetKey, key_id AS keyId, signature
       FROM user_signatures WHERE signer_nid = ?`,
      signerNid,
    ),
  ),
};
