import { membershipCodes } from "../../memberships.ts";
import {
  maxPushersPerUser,
  type NewPusher,
  type Pusher,
  type PusherBehind,
  type PusherChange,
  type PusherStore,
  type PushProgress,
} from "../../pushers.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write } from "../engine/operations.ts";

const columns = `pusher_nid AS pusherNid, user_nid AS userNid, device_id AS deviceId, app_id AS appId, pushkey,
  set_ts AS setTs, is_enabled AS enabled, description`;
const setSql = `INSERT INTO pushers (user_nid, device_id, app_id, pushkey, set_ts, is_enabled, description)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
  ON CONFLICT DO UPDATE SET device_id = iif(?8, device_id, excluded.device_id), set_ts = excluded.set_ts,
    is_enabled = excluded.is_enabled, description = excluded.description`;
const trimSql = `DELETE FROM pushers WHERE pusher_nid IN (
  SELECT pusher_nid FROM pushers WHERE user_nid = ? ORDER BY set_ts DESC, pusher_nid DESC
  LIMIT -1 OFFSET ${maxPushersPerUser})`;
const inRoomSql = `SELECT user_nid AS nid FROM memberships
  WHERE room_nid = ? AND membership = ${membershipCodes.join} AND is_local = 1
    AND EXISTS (SELECT 1 FROM pushers WHERE pushers.user_nid = memberships.user_nid)`;

type StoredPusher = Omit<Pusher, "isEnabled"> & { readonly enabled: number };

function toPusher({ enabled, ...pusher }: StoredPusher): Pusher {
  return { ...pusher, isEnabled: enabled === 1 };
}

function set(db: Connection, pusher: NewPusher, { append, keepsDevice }: PusherChange): void {
  const { userNid, deviceId, appId, pushkey, setTs, isEnabled, description } = pusher;
  if (!append) {
    db.run("DELETE FROM pushers WHERE app_id = ? AND pushkey = ? AND user_nid <> ?", appId, pushkey, userNid);
  }
  db.run(
    setSql,
    userNid,
    deviceId,
    appId,
    pushkey,
    setTs,
    Number(isEnabled),
    description,
    Number(keepsDevice),
  );
  db.run(trimSql, userNid);
}

function readProgress(db: Connection): Pick<PushProgress, "upTo" | "behind"> | undefined {
  const progress = db.get<{ upTo: number }>("SELECT up_to AS upTo FROM push_progress WHERE id = 1");
  if (!progress) return undefined;
  const behind = db.all<PusherBehind>(
    `SELECT pusher_nid AS pusherNid, delivered_up_to AS deliveredUpTo FROM pushers
    WHERE delivered_up_to IS NOT NULL`,
  );
  return { upTo: progress.upTo, behind };
}

function saveProgress(db: Connection, { upTo, behind, caughtUp }: PushProgress): void {
  db.run(
    "INSERT INTO push_progress (id, up_to) VALUES (1, ?) ON CONFLICT DO UPDATE SET up_to = excluded.up_to",
    upTo,
  );
  const update = "UPDATE pushers SET delivered_up_to = ? WHERE pusher_nid = ?";
  for (const { pusherNid, deliveredUpTo } of behind) db.run(update, deliveredUpTo, pusherNid);
  for (const pusherNid of caughtUp) db.run(update, null, pusherNid);
}

export const pusherOperations: StoreOperations<PusherStore> = {
  ofUser: point((db, userNid: number) =>
    db.all<StoredPusher>(`SELECT ${columns} FROM pushers WHERE user_nid = ?`, userNid).map(toPusher),
  ),
  byNid: point((db, pusherNid: number) => {
    const stored = db.get<StoredPusher>(`SELECT ${columns} FROM pushers WHERE pusher_nid = ?`, pusherNid);
    return stored && toPusher(stored);
  }),
  set: write(({ db }, pusher: NewPusher, change: PusherChange) => set(db, pusher, change)),
  remove: write(({ db }, userNid: number, appId: string, pushkey: string) => {
    db.run("DELETE FROM pushers WHERE app_id = ? AND pushkey = ? AND user_nid = ?", appId, pushkey, userNid);
  }),
  removeByNid: write(({ db }, pusherNid: number) => {
    db.run("DELETE FROM pushers WHERE pusher_nid = ?", pusherNid);
  }),
  // These two are asked once, when the server starts: no reason to wake a reading worker.
  userNids: point((db) =>
    db.all<{ nid: number }>("SELECT DISTINCT user_nid AS nid FROM pushers").map(({ nid }) => nid),
  ),
  userNidsInRoom: scan((db, roomNid: number) =>
    db.all<{ nid: number }>(inRoomSql, roomNid).map(({ nid }) => nid),
  ),
  progress: point(readProgress),
  saveProgress: write(({ db }, progress: PushProgress) => saveProgress(db, progress)),
};

/** Part of the transaction that ends a device. */
export function deletePushers(db: Connection, userNid: number, deviceId: string): void {
  db.run("DELETE FROM pushers WHERE user_nid = ? AND device_id = ?", userNid, deviceId);
}
