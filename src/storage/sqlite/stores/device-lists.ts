import type { DeviceListChanges, DeviceListStore } from "../../device-lists.ts";
import { membershipCodes } from "../../memberships.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, type WriteTransaction } from "../engine/operations.ts";
import { recordCrossSigningUpdate, recordDeviceUpdate } from "./device-updates.ts";

const { join, leave, ban } = membershipCodes;

/**
 * Part of every transaction that changes what local users see of somebody's devices or cross-signing keys.
 * @returns the position of the change
 */
export function recordDeviceListChange(tx: WriteTransaction, userNid: number): number {
  const position = tx.position("deviceLists", userNid);
  tx.db.run(
    `INSERT INTO device_list_changes (user_nid, position) VALUES (?, ?)
     ON CONFLICT DO UPDATE SET position = excluded.position`,
    userNid,
    position,
  );
  return position;
}

/** The same for devices of a local user, of which other servers are told. */
export function recordDeviceChanges(
  tx: WriteTransaction,
  userNid: number,
  deviceIds: readonly string[],
): void {
  for (const deviceId of deviceIds) {
    recordDeviceUpdate(tx, userNid, deviceId, recordDeviceListChange(tx, userNid));
  }
}

/** The same for a local user's cross-signing keys. */
export function recordCrossSigningChange(tx: WriteTransaction, userNid: number): void {
  recordCrossSigningUpdate(tx, userNid, recordDeviceListChange(tx, userNid));
}

/** A change of a local user's device that has no keys: local users have nothing to ask for, other servers are told. */
export function recordKeylessDeviceChange(tx: WriteTransaction, userNid: number, deviceId: string): void {
  recordDeviceUpdate(tx, userNid, deviceId, tx.position("deviceUpdates", userNid));
}

// In all queries ?1 is the user and ?2 the position. What is new comes first: CROSS JOIN keeps that order of tables, and
// a UNION instead of UNION ALL would read the tables in the order of users.

// The user's own joining or leaving counts as many: all members of the room have to be looked at.
const countQuery = `
SELECT (SELECT count(*) FROM (SELECT 1 FROM device_list_changes WHERE position > ?2 LIMIT ?3))
  + (SELECT count(*) FROM (SELECT 1 FROM memberships WHERE position > ?2 LIMIT ?3))
  + EXISTS (SELECT 1 FROM user_signatures WHERE signer_nid = ?1 AND position > ?2)
  + EXISTS (SELECT 1 FROM membership_log WHERE user_nid = ?1 AND position > ?2) * ?3 AS changes`;

/** Whether user ?1 shares a room with another. */
function sharesRoomWith(userNid: string): string {
  return `EXISTS (
    SELECT 1 FROM memberships AS mine CROSS JOIN memberships AS theirs USING (room_nid)
    WHERE mine.user_nid = ?1 AND mine.membership = ${join}
      AND theirs.user_nid = ${userNid} AND theirs.membership = ${join})`;
}

/** A new member event need not be a new membership: of local users it is known. */
const isNewMembership = `(theirs.is_local = 0 OR EXISTS (
  SELECT 1 FROM membership_log AS log
  WHERE log.user_nid = theirs.user_nid AND log.room_nid = theirs.room_nid AND log.position > ?2))`;

const changedQuery = `
SELECT user_nid AS nid FROM device_list_changes AS changes INDEXED BY device_list_changes_position
WHERE position > ?2 AND (user_nid = ?1 OR ${sharesRoomWith("changes.user_nid")})
UNION ALL
SELECT target_nid FROM user_signatures WHERE signer_nid = ?1 AND position > ?2
UNION ALL
-- Others have joined the user's rooms.
SELECT theirs.user_nid FROM memberships AS theirs INDEXED BY memberships_position
  CROSS JOIN memberships AS mine USING (room_nid)
WHERE theirs.position > ?2 AND theirs.membership = ${join} AND theirs.user_nid <> ?1
  AND mine.user_nid = ?1 AND mine.membership = ${join} AND ${isNewMembership}
UNION ALL
-- The user has joined rooms of others.
SELECT theirs.user_nid FROM membership_log AS log
  CROSS JOIN memberships AS mine ON mine.room_nid = log.room_nid AND mine.user_nid = ?1
  CROSS JOIN memberships AS theirs ON theirs.room_nid = log.room_nid
WHERE log.user_nid = ?1 AND log.position > ?2 AND log.membership = ${join} AND mine.membership = ${join}
  AND theirs.membership = ${join} AND theirs.user_nid <> ?1
UNION ALL
-- Servers that have come to follow the user's devices: those devices may want to know.
SELECT log.user_nid FROM membership_log AS log
  CROSS JOIN memberships AS mine ON mine.room_nid = log.room_nid AND mine.user_nid = ?1
WHERE log.user_nid = ?1 AND log.position > ?2 AND log.membership = ${join} AND mine.membership = ${join}
  AND EXISTS (SELECT 1 FROM room_servers WHERE room_servers.room_nid = log.room_nid)`;

const leftQuery = `
SELECT nid FROM (
  -- Others have left the user's rooms.
  SELECT theirs.user_nid AS nid FROM memberships AS theirs INDEXED BY memberships_position
  CROSS JOIN memberships AS mine USING (room_nid)
  WHERE theirs.position > ?2 AND theirs.membership IN (${leave}, ${ban})
    AND mine.user_nid = ?1 AND mine.membership = ${join}
  UNION ALL
  -- The user has left rooms, where others are still or were until lately.
  SELECT theirs.user_nid FROM membership_log AS log
    CROSS JOIN memberships AS mine ON mine.room_nid = log.room_nid AND mine.user_nid = ?1
    CROSS JOIN memberships AS theirs ON theirs.room_nid = log.room_nid
  WHERE log.user_nid = ?1 AND log.position > ?2 AND log.membership IN (${leave}, ${ban})
    AND mine.membership <> ${join}
    AND (theirs.membership = ${join} OR (theirs.membership IN (${leave}, ${ban}) AND theirs.position > ?2))
) AS gone
WHERE nid <> ?1 AND NOT ${sharesRoomWith("gone.nid")}`;

function changes(db: Connection, userNid: number, since: number): DeviceListChanges {
  const nids = (query: string) => {
    const rows = db.all<{ nid: number }>(query, userNid, since);
    return [...new Set(rows.map(({ nid }) => nid))];
  };
  return { changed: nids(changedQuery), left: nids(leftQuery) };
}

export const deviceListOperations: StoreOperations<DeviceListStore> = {
  countChanges: point((db, userNid: number, since: number, limit: number) => {
    const row = db.get<{ changes: number }>(countQuery, userNid, since, limit);
    return Math.min(row?.changes ?? 0, limit);
  }),
  changes: point(changes),
  manyChanges: scan(changes),
};
