import type { Connection } from "../engine/connection.ts";

type Signatures = Record<string, string>;

/** Signatures as JSON, those of the second object taking the place of equally named ones. */
export function mergeSignatures(existing: string, added: string): string {
  return JSON.stringify({ ...(JSON.parse(existing) as Signatures), ...(JSON.parse(added) as Signatures) });
}

/** Takes the signatures of a key that is gone off a user's device keys. Returns the IDs of the devices that had one. */
export function dropDeviceSignatures(db: Connection, userNid: number, keyId: string): string[] {
  const changed: string[] = [];
  const rows = db.all<{ deviceId: string; signatures: string }>(
    "SELECT device_id AS deviceId, signatures FROM device_keys WHERE user_nid = ?",
    userNid,
  );
  for (const { deviceId, signatures } of rows) {
    const left = without(signatures, keyId);
    if (left === undefined) continue;
    db.run(
      "UPDATE device_keys SET signatures = ? WHERE user_nid = ? AND device_id = ?",
      left,
      userNid,
      deviceId,
    );
    changed.push(deviceId);
  }
  return changed;
}

/** Takes the signature of a device that is gone off its owner's master key. Returns whether there was one. */
export function dropMasterKeySignature(db: Connection, userNid: number, keyId: string): boolean {
  const row = db.get<{ signatures: string }>(
    "SELECT signatures FROM cross_signing_keys WHERE user_nid = ? AND usage = 'master'",
    userNid,
  );
  const left = row && without(row.signatures, keyId);
  if (left === undefined) return false;
  db.run(
    "UPDATE cross_signing_keys SET signatures = ? WHERE user_nid = ? AND usage = 'master'",
    left,
    userNid,
  );
  return true;
}

/** The signatures but one, or `undefined` when it is not among them. */
function without(json: string, keyId: string): string | undefined {
  const { [keyId]: dropped, ...left } = JSON.parse(json) as Signatures;
  return dropped === undefined ? undefined : JSON.stringify(left);
}
