import type {
  DehydratedDevice,
  DehydratedDeviceStore,
  DehydrationOutcome,
  NewDehydratedDevice,
} from "../../dehydrated-devices.ts";
import type { Connection } from "../engine/connection.ts";
import { point, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";
import { uploadDeviceKeys } from "./device-keys.ts";
import { removeDevice } from "./device-removal.ts";

function find(db: Connection, userNid: number): DehydratedDevice | undefined {
  return db.get<DehydratedDevice>(
    "SELECT device_id AS deviceId, device_data AS deviceData FROM dehydrated_devices WHERE user_nid = ?",
    userNid,
  );
}

function put(tx: WriteTransaction, userNid: number, device: NewDehydratedDevice): DehydrationOutcome {
  const before = find(tx.db, userNid);
  if (before?.deviceId !== device.deviceId) {
    const { deviceId, displayName, createdTs } = device;
    const made = tx.db.run(
      "INSERT INTO devices (user_nid, device_id, display_name, created_ts) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
      userNid,
      deviceId,
      displayName,
      createdTs,
    );
    if (made === 0) return { stored: false, reason: "is-session" };
    if (before) removeDevice(tx, userNid, before.deviceId);
  }
  // A new device cannot conflict with anything; one that is uploaded again is left as it was when it does.
  const outcome = uploadDeviceKeys(tx, userNid, device.deviceId, device.keys);
  if (!outcome.stored) return outcome;
  tx.db.run(
    "INSERT OR REPLACE INTO dehydrated_devices (user_nid, device_id, device_data) VALUES (?, ?, ?)",
    userNid,
    device.deviceId,
    device.deviceData,
  );
  return outcome;
}

function remove(tx: WriteTransaction, userNid: number): string | undefined {
  const device = find(tx.db, userNid);
  if (device) removeDevice(tx, userNid, device.deviceId);
  return device?.deviceId;
}

export const dehydratedDeviceOperations: StoreOperations<DehydratedDeviceStore> = {
  find: point(find),
  put: write(put),
  remove: write(remove),
};
