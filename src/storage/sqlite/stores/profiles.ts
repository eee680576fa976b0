import { membershipCodes } from "../../memberships.ts";
import type { ChangedProfileField, ProfileField, ProfileStore } from "../../profiles.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";
import { indexUser } from "./user-directory.ts";

const { join } = membershipCodes;
/** Who has been away longer than a user needs to remove more fields than this hears of the rest when they look. */
const maxRemoved = 50;

const setSql = `INSERT INTO profile_fields (user_nid, name, value, position) VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET value = excluded.value, position = excluded.position`;
const trimSql = `DELETE FROM profile_fields WHERE user_nid = ?1 AND name IN (
  SELECT name FROM profile_fields WHERE user_nid = ?1 AND value IS NULL
  ORDER BY position DESC LIMIT -1 OFFSET ${maxRemoved})`;
// ?1 is the user, ?2 and ?3 the span, ?4 the names, ?5 the limit.
const changedSql = `SELECT user_id AS userId, name, value
  FROM profile_fields AS fields INDEXED BY profile_fields_changes CROSS JOIN users USING (user_nid)
  WHERE position > ?2 AND position <= ?3 AND (?4 IS NULL OR name IN (SELECT value FROM json_each(?4)))
    AND (user_nid = ?1 OR EXISTS (
      SELECT 1 FROM memberships AS mine CROSS JOIN memberships AS theirs USING (room_nid)
      WHERE mine.user_nid = ?1 AND mine.membership = ${join}
        AND theirs.user_nid = fields.user_nid AND theirs.membership = ${join}))
  ORDER BY position DESC LIMIT ?5`;
// ?1 are the rooms, ?2 the position, ?3 the further users, ?4 the names, ?5 the limit.
const membersSql = `SELECT user_id AS userId, name, fields.value AS value
  FROM (
    SELECT user_nid FROM memberships
    WHERE room_nid IN (SELECT value FROM json_each(?1)) AND membership = ${join} AND is_local = 1 AND position > ?2
    UNION SELECT value FROM json_each(?3)
  ) CROSS JOIN profile_fields AS fields USING (user_nid) CROSS JOIN users USING (user_nid)
  WHERE fields.value IS NOT NULL AND (?4 IS NULL OR name IN (SELECT value FROM json_each(?4)))
  LIMIT ?5`;

function fields(db: Connection, userNid: number): ProfileField[] {
  return db.all<ProfileField>(
    "SELECT name, value FROM profile_fields WHERE user_nid = ? AND value IS NOT NULL ORDER BY name",
    userNid,
  );
}

function put(
  tx: WriteTransaction,
  userNid: number,
  field: ProfileField,
  maxBytes: number,
): "changed" | "unchanged" | "too-large" {
  const { db } = tx;
  const before = fields(db, userNid);
  if (before.some(({ name, value }) => name === field.name && value === field.value)) return "unchanged";
  const after = [...before.filter(({ name }) => name !== field.name), field];
  if (jsonBytesOf(after) > maxBytes) return "too-large";
  db.run(setSql, userNid, field.name, field.value, tx.position("profiles", userNid));
  if (field.name === "displayname") indexUser(db, userNid);
  return "changed";
}

function remove(tx: WriteTransaction, userNid: number, name: string): boolean {
  const { db } = tx;
  if (!fields(db, userNid).some((field) => field.name === name)) return false;
  db.run(setSql, userNid, name, null, tx.position("profiles", userNid));
  db.run(trimSql, userNid);
  if (name === "displayname") indexUser(db, userNid);
  return true;
}

function namesText(names: readonly string[] | null): string | null {
  return names && JSON.stringify(names);
}

/** The size of `{"name":value,...}`. */
function jsonBytesOf(profile: readonly ProfileField[]): number {
  const members = profile.map(({ name, value }) => `${JSON.stringify(name)}:${value}`);
  return Buffer.byteLength(`{${members.join(",")}}`);
}

export const profileOperations: StoreOperations<ProfileStore> = {
  fields: point(fields),
  put: write(put),
  remove: write(remove),
  changedBetween: scan(
    (db, userNid: number, { since, upTo }, names: readonly string[] | null, limit: number) =>
      db.all<ChangedProfileField>(changedSql, userNid, since, upTo, namesText(names), limit),
  ),
  ofMembers: scan(
    (
      db,
      roomNids: readonly number[],
      since: number,
      userNids: readonly number[],
      names: readonly string[] | null,
      limit: number,
    ) =>
      db.all<ChangedProfileField>(
        membersSql,
        JSON.stringify(roomNids),
        since,
        JSON.stringify(userNids),
        namesText(names),
        limit,
      ),
  ),
};
