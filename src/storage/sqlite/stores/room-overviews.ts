import { membershipCodes } from "../../memberships.ts";
import type {
  RoomDetails,
  RoomList,
  RoomListQuery,
  RoomOrder,
  RoomOverview,
  RoomOverviewStore,
} from "../../room-overviews.ts";
import { foldText } from "../../search-text.ts";
import type { Connection } from "../engine/connection.ts";
import { scan, type StoreOperations } from "../engine/operations.ts";

type StoredOverview = Omit<RoomOverview, "isPublic" | "isFederatable"> & {
  readonly isPublic: number;
  readonly isFederatable: number;
};

const joinedLocalMembers = `(SELECT count(*) FROM memberships
  WHERE memberships.room_nid = rooms.room_nid AND is_local = 1 AND membership = ${membershipCodes.join})`;
const from = "FROM rooms LEFT JOIN room_summaries USING (room_nid)";
const overviewSql = `SELECT room_nid AS roomNid, room_id AS roomId, version, is_public AS isPublic,
    joined_members AS joinedMembers, ${joinedLocalMembers} AS joinedLocalMembers, state_events AS stateEvents,
    name, topic, avatar_url AS avatarUrl, canonical_alias AS canonicalAlias, room_type AS roomType, encryption,
    join_rule AS joinRule, history_visibility AS historyVisibility, guest_access AS guestAccess, creator,
    coalesce(is_federatable, 1) AS isFederatable
  ${from} WHERE room_nid = ? AND is_removed = 0`;

/** The alias comes last in it: the server's name at its end would be found in most rooms. */
const searched = `substr(search_text, 1,
  length(search_text) - coalesce(length(canonical_alias) - instr(canonical_alias, ':') + 1, 0))`;
/** ?1 and ?2 are the search term, folded and as it is; ?3 and ?4 say 1, 0 or nothing. */
const listed = `is_removed = 0
  AND (?1 IS NULL OR instr(${searched}, ?1) > 0 OR instr(room_id, ?2) = 1)
  AND (?3 IS NULL OR is_public = ?3)
  AND (?4 IS NULL OR (joined_members = 0) = ?4)`;
const countSql = `SELECT count(*) AS total ${from} WHERE ${listed}`;

/** Of texts those that are missing come last, of numbers the largest first. */
const texts = (column: string) => [`${column} IS NULL`, `${column} COLLATE NOCASE`];
const orders: Readonly<Record<RoomOrder, readonly string[]>> = {
  name: texts("name"),
  canonical_alias: texts("canonical_alias"),
  joined_members: ["-joined_members"],
  joined_local_members: [`-${joinedLocalMembers}`],
  version: ["-CAST(version AS INTEGER)"],
  creator: texts("creator"),
  encryption: texts("encryption"),
  federatable: ["coalesce(is_federatable, 1)"],
  public: ["is_public"],
  join_rules: texts("join_rule"),
  guest_access: texts("guest_access"),
  history_visibility: texts("history_visibility"),
  state_events: ["-state_events"],
};

function pageSql(order: RoomOrder, direction: "ASC" | "DESC"): string {
  const terms = [...orders[order], "room_id"].map((term) => `${term} ${direction}`);
  return `SELECT room_nid AS nid ${from} WHERE ${listed} ORDER BY ${terms.join(", ")} LIMIT ?5 OFFSET ?6`;
}

const pageSqls = new Map(
  (Object.keys(orders) as RoomOrder[]).map((order) => [
    order,
    { ascending: pageSql(order, "ASC"), descending: pageSql(order, "DESC") },
  ]),
);

function overviewOf(db: Connection, roomNid: number): RoomOverview | undefined {
  const row = db.get<StoredOverview>(overviewSql, roomNid);
  return row && { ...row, isPublic: row.isPublic === 1, isFederatable: row.isFederatable === 1 };
}

function list(db: Connection, query: RoomListQuery): RoomList {
  const { searchTerm, isPublic, isEmpty, order, isReversed, offset, limit } = query;
  const filter = [
    searchTerm === undefined ? null : foldText(searchTerm),
    searchTerm ?? null,
    isPublic === undefined ? null : Number(isPublic),
    isEmpty === undefined ? null : Number(isEmpty),
  ];
  const sqls = pageSqls.get(order);
  if (!sqls) throw new Error(`there is no order ${order}`);
  const sql = isReversed ? sqls.descending : sqls.ascending;
  // What is shown of a room is read for those of the page only.
  const rooms = db
    .all<{ nid: number }>(sql, ...filter, limit, offset)
    .map(({ nid }) => overviewOf(db, nid))
    .filter((room) => room !== undefined);
  return { rooms, total: db.get<{ total: number }>(countSql, ...filter)?.total ?? 0 };
}

const devicesSql = `SELECT count(*) AS count FROM memberships CROSS JOIN devices USING (user_nid)
  WHERE room_nid = ? AND is_local = 1 AND membership = ${membershipCodes.join}`;
const rememberedSql =
  "SELECT 1 FROM memberships WHERE room_nid = ? AND is_local = 1 AND forgotten = 0 LIMIT 1";

function details(db: Connection, roomNid: number): RoomDetails | undefined {
  const overview = overviewOf(db, roomNid);
  return (
    overview && {
      ...overview,
      joinedLocalDevices: db.get<{ count: number }>(devicesSql, roomNid)?.count ?? 0,
      isForgotten: db.get(rememberedSql, roomNid) === undefined,
    }
  );
}

export const roomOverviewOperations: StoreOperations<RoomOverviewStore> = {
  list: scan(list),
  details: scan(details),
};
