import type { ListedUser, UserListStore, UserOrder, UserQuery } from "../../user-lists.ts";
import type { Connection } from "../engine/connection.ts";
import { scan, type StoreOperations } from "../engine/operations.ts";

const flags = ["isGuest", "isAdmin", "isDeactivated", "isErased", "isLocked"] as const;
type Flag = (typeof flags)[number];
type ListedRow = Omit<ListedUser, Flag> & Record<Flag, number>;

const profileField = (name: string) =>
  `(SELECT value ->> '$' FROM profile_fields AS f WHERE f.user_nid = accounts.user_nid AND name = '${name}')`;
const displayName = profileField("displayname");
const avatarUrl = profileField("avatar_url");
const lastSeen = "(SELECT max(last_seen_ts) FROM devices WHERE devices.user_nid = accounts.user_nid)";

/** ?1 name, ?2 user ID, ?3 guest, ?4 admin, ?5 deactivated, ?6 locked, ?7 types to leave out as a JSON list. */
const wanted = `FROM accounts JOIN users USING (user_nid)
  WHERE (?1 IS NULL OR instr(lower(substr(user_id, 2, instr(user_id, ':') - 2)), lower(?1))
      OR instr(lower(${displayName}), lower(?1)))
    AND (?2 IS NULL OR instr(lower(user_id), lower(?2)))
    AND (?3 IS NULL OR is_guest = ?3) AND (?4 IS NULL OR is_admin = ?4)
    AND (?5 IS NULL OR is_deactivated = ?5) AND (?6 IS NULL OR is_locked = ?6)
    AND coalesce(user_type, '') NOT IN (SELECT value FROM json_each(?7))`;
const countSql = `SELECT count(*) AS total ${wanted}`;

const orders: Readonly<Record<UserOrder, string>> = {
  name: "user_id",
  displayname: displayName,
  avatar_url: avatarUrl,
  is_guest: "is_guest",
  admin: "is_admin",
  deactivated: "is_deactivated",
  locked: "is_locked",
  user_type: "user_type",
  creation_ts: "created_ts",
  last_seen_ts: lastSeen,
};

/** Ordered first, so that nothing is looked up of those who are on other pages. */
function pageSqlFor(order: string, direction: "ASC" | "DESC"): string {
  return `WITH page AS MATERIALIZED (
    SELECT accounts.user_nid ${wanted} ORDER BY ${order} ${direction}, user_id LIMIT ?8 OFFSET ?9)
  SELECT user_id AS userId, is_guest AS isGuest, is_admin AS isAdmin, is_deactivated AS isDeactivated,
    is_erased AS isErased, is_locked AS isLocked, user_type AS userType, created_ts AS createdTs,
    ${displayName} AS displayName, ${avatarUrl} AS avatarUrl, ${lastSeen} AS lastSeenTs
  FROM page CROSS JOIN accounts USING (user_nid) CROSS JOIN users USING (user_nid)
  ORDER BY ${order} ${direction}, user_id`;
}

function page(db: Connection, query: UserQuery): { users: ListedUser[]; total: number } {
  const { name, userId, isGuest, isAdmin, isDeactivated, isLocked, withoutTypes } = query;
  const filters = [
    name,
    userId,
    ...[isGuest, isAdmin, isDeactivated, isLocked].map((flag) => (flag === null ? null : Number(flag))),
    JSON.stringify(withoutTypes),
  ];
  const { total = 0 } = db.get<{ total: number }>(countSql, ...filters) ?? {};
  const sql = pageSqlFor(orders[query.orderBy], query.isDescending ? "DESC" : "ASC");
  const rows = db.all<ListedRow>(sql, ...filters, query.limit, query.offset);
  return { users: rows.map(listedUser), total };
}

function listedUser(row: ListedRow): ListedUser {
  return {
    ...row,
    isGuest: row.isGuest === 1,
    isAdmin: row.isAdmin === 1,
    isDeactivated: row.isDeactivated === 1,
    isErased: row.isErased === 1,
    isLocked: row.isLocked === 1,
  };
}

export const userListOperations: StoreOperations<UserListStore> = { page: scan(page) };
