import type { Device, DeviceSighting, DeviceStore, NewDevice } from "../../devices.ts";
import { point, scan, type StoreOperations, write } from "../engine/operations.ts";
import { endBrowserSessions } from "./browser-sessions.ts";
import { recordDeviceRename } from "./device-keys.ts";
import { removeDevice, removeDevices } from "./device-removal.ts";
import { createDevice } from "./sessions.ts";

const columns = `device_id AS deviceId, display_name AS displayName, created_ts AS createdTs, last_seen_ts AS lastSeenTs,
  last_seen_ip AS lastSeenIp, last_seen_user_agent AS lastSeenUserAgent`;
const findQuery = `SELECT ${columns} FROM devices WHERE user_nid = ? AND device_id = ?`;
const listQuery = `SELECT ${columns} FROM devices WHERE user_nid = ? ORDER BY device_id`;

export const deviceOperations: StoreOperations<DeviceStore> = {
  find: point((db, userNid: number, deviceId: string) => db.get<Device>(findQuery, userNid, deviceId)),
  list: scan((db, userNid: number) => db.all<Device>(listQuery, userNid)),
  create: write((tx, userNid: number, device: NewDevice) => createDevice(tx, userNid, device)),
  rename: write((tx, userNid: number, deviceId: string, displayName: string) => {
    const changed = tx.db.run(
      "UPDATE devices SET display_name = ? WHERE user_nid = ? AND device_id = ?",
      displayName,
      userNid,
      deviceId,
    );
    if (changed > 0) recordDeviceRename(tx, userNid, deviceId);
    return changed > 0;
  }),
  remove: write((tx, userNid: number, deviceIds: readonly string[]) =>
    deviceIds.filter((deviceId) => removeDevice(tx, userNid, deviceId)),
  ),
  removeAll: write((tx, userNid: number, exceptDeviceId: string | null) => {
    if (exceptDeviceId === null) endBrowserSessions(tx.db, userNid);
    return removeDevices(tx, userNid, exceptDeviceId);
  }),
  saw: write(({ db }, sightings: readonly DeviceSighting[]) => {
    for (const { userNid, deviceId, ts, ip, userAgent } of sightings) {
      db.run(
        `UPDATE devices SET last_seen_ts = ?, last_seen_ip = ?, last_seen_user_agent = ?
        WHERE user_nid = ? AND device_id = ?`,
        ts,
        ip,
        userAgent,
        userNid,
        deviceId,
      );
    }
  }),
};
