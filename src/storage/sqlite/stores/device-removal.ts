import type { WriteTransaction } from "../engine/operations.ts";
import { removeDeviceAccountData } from "./account-data.ts";
import { deleteDeviceKeys } from "./device-keys.ts";
import { forgetDeletedDevices } from "./device-updates.ts";
import { unbindFromClient } from "./oauth-binding.ts";
import { deletePushers } from "./pushers.ts";
import { revokeTokens } from "./session-tokens.ts";
import { deleteSlidingSyncConnections } from "./sliding-sync.ts";
import { deleteToDeviceMessages } from "./to-device.ts";

/**
 * Everything that belongs to a device and goes with it. A store whose rows are keyed by device adds its own line here,
 * so that no way of ending a device forgets any of it.
 */
const ownedByDevice: readonly ((tx: WriteTransaction, userNid: number, deviceId: string) => void)[] = [
  ({ db }, userNid, deviceId) => revokeTokens(db, userNid, deviceId),
  ({ db }, userNid, deviceId) => unbindFromClient(db, userNid, deviceId),
  ({ db }, userNid, deviceId) => deletePushers(db, userNid, deviceId),
  deleteDeviceKeys,
  deleteToDeviceMessages,
  deleteSlidingSyncConnections,
  removeDeviceAccountData,
  ({ db }, userNid, deviceId) =>
    db.run("DELETE FROM dehydrated_devices WHERE user_nid = ? AND device_id = ?", userNid, deviceId),
];

/** Removes a device with everything that belongs to it. False when the user has no such device. */
export function removeDevice(tx: WriteTransaction, userNid: number, deviceId: string): boolean {
  const removed = tx.db.run("DELETE FROM devices WHERE user_nid = ? AND device_id = ?", userNid, deviceId);
  if (removed === 0) return false;
  for (const remove of ownedByDevice) remove(tx, userNid, deviceId);
  forgetDeletedDevices(tx, userNid);
  return true;
}

/** Removes a user's devices but one. Returns the IDs of the removed ones. */
export function removeDevices(
  tx: WriteTransaction,
  userNid: number,
  exceptDeviceId: string | null,
): string[] {
  const rows = tx.db.all<{ id: string }>(
    "SELECT device_id AS id FROM devices WHERE user_nid = ? AND device_id IS NOT ?",
    userNid,
    exceptDeviceId,
  );
  return rows.map(({ id }) => id).filter((id) => removeDevice(tx, userNid, id));
}
