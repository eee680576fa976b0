import { emptyRoomFields, type RoomFields } from "../../../protocol/room-summary.ts";
import type {
  DirectoryPlace,
  PublicRoomsPage,
  PublicRoomsQuery,
  RoomSummary,
  RoomSummaryChange,
  RoomSummaryStore,
} from "../../room-summaries.ts";
import { foldText } from "../../search-text.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations } from "../engine/operations.ts";

type StoredSummary = Omit<
  RoomSummary,
  "isWorldReadable" | "guestCanJoin" | "allowedRoomIds" | "isFederatable"
> & {
  readonly allowedRoomIds: string;
  readonly isFederatable: number;
};

const columns = `room_nid AS roomNid, room_id AS roomId, version, joined_members AS joinedMembers, name, topic,
  avatar_url AS avatarUrl, canonical_alias AS canonicalAlias, room_type AS roomType, encryption,
  join_rule AS joinRule, allowed_room_ids AS allowedRoomIds, history_visibility AS historyVisibility,
  guest_access AS guestAccess, creator, is_federatable AS isFederatable`;
const byNidSql = `SELECT ${columns} FROM rooms JOIN room_summaries USING (room_nid) WHERE room_nid = ?`;

/** ?1 is the search term, ?2 the room types as a JSON list; either may be null. */
const listed = `joined_members > 0
  AND (join_rule NOT IN ('invite', 'private') OR history_visibility IS 'world_readable')
  AND (?1 IS NULL OR instr(search_text, ?1) > 0)
  AND (?2 IS NULL OR EXISTS (SELECT 1 FROM json_each(?2) WHERE value IS room_type))`;
const fromRooms = "FROM rooms JOIN room_summaries USING (room_nid)";
/** An estimate, from the index alone: those few that nobody could come into are counted, too. */
const estimateSql = "SELECT count(*) AS total FROM rooms WHERE is_public = 1 AND joined_members > 0";

/** What lists the rooms of a directory. */
interface DirectorySql {
  readonly count: string;
  readonly forwards: string;
  readonly backwards: string;
}

/** @param isIn whether a room is in the directory; ?3 is a JSON list of an application service and its network, or null */
function directorySql(isIn: string): DirectorySql {
  return {
    count: `SELECT count(*) AS total ${fromRooms} WHERE ${isIn} AND ${listed}`,
    forwards: `SELECT ${columns} ${fromRooms} WHERE ${isIn} AND ${listed}
  AND joined_members <= ?4 AND NOT (joined_members = ?4 AND room_nid <= ?5)
  ORDER BY joined_members DESC, room_nid LIMIT ?6`,
    backwards: `SELECT ${columns} ${fromRooms} WHERE ${isIn} AND ${listed}
  AND joined_members >= ?4 AND NOT (joined_members = ?4 AND room_nid >= ?5)
  ORDER BY joined_members, room_nid DESC LIMIT ?6`,
  };
}

// The rooms of networks are few enough to be looked up one by one.
const networkSql = directorySql(`room_nid IN (SELECT room_nid FROM appservice_rooms
  WHERE appservice_id = ?3 ->> 0 AND network_id = ?3 ->> 1)`);
const namedDirectorySql = {
  own: directorySql("is_public = 1 AND ?3 IS NULL"),
  all: directorySql(`?3 IS NULL AND room_nid IN (SELECT room_nid FROM rooms WHERE is_public = 1
  UNION SELECT room_nid FROM appservice_rooms)`),
};

const beginning: DirectoryPlace = {
  direction: "forwards",
  joinedMembers: Number.MAX_SAFE_INTEGER,
  roomNid: 0,
};

function toSummary(row: StoredSummary): RoomSummary {
  return {
    ...row,
    isWorldReadable: row.historyVisibility === "world_readable",
    guestCanJoin: row.guestAccess === "can_join",
    isFederatable: row.isFederatable === 1,
    allowedRoomIds: JSON.parse(row.allowedRoomIds) as string[],
  };
}

function summaryOf(db: Connection, roomNid: number): RoomSummary | undefined {
  const row = db.get<StoredSummary>(byNidSql, roomNid);
  return row && toSummary(row);
}

function listPublic(
  db: Connection,
  { directory, searchTerm, roomTypes, from = beginning, limit }: PublicRoomsQuery,
): PublicRoomsPage {
  const isNamed = typeof directory === "string";
  const sql = isNamed ? namedDirectorySql[directory] : networkSql;
  const filter = [
    searchTerm === undefined ? null : foldText(searchTerm),
    roomTypes === undefined ? null : JSON.stringify(roomTypes),
    isNamed ? null : JSON.stringify([directory.appserviceId, directory.networkId]),
  ];
  const isForwards = from.direction === "forwards";
  const rows = db
    .all<StoredSummary>(
      isForwards ? sql.forwards : sql.backwards,
      ...filter,
      from.joinedMembers,
      from.roomNid,
      limit + 1,
    )
    .map(toSummary);
  const rooms = rows.slice(0, limit);
  const isWhole = directory === "own" && searchTerm === undefined && roomTypes === undefined;
  const counted = isWhole
    ? db.get<{ total: number }>(estimateSql)
    : db.get<{ total: number }>(sql.count, ...filter);
  return {
    rooms: isForwards ? rooms : rooms.toReversed(),
    hasMore: rows.length > limit,
    total: counted?.total ?? 0,
  };
}

/** For commits: brings up to date what a room tells of itself. */
export function changeSummary(
  db: Connection,
  roomNid: number,
  { fields, children }: RoomSummaryChange,
): void {
  const current: RoomFields = summaryOf(db, roomNid) ?? emptyRoomFields;
  putFields(db, roomNid, { ...current, ...fields });
  for (const { roomId, eventNid } of children) {
    db.run("DELETE FROM space_children WHERE room_nid = ? AND child_id = ?", roomNid, roomId);
    if (eventNid === null) continue;
    db.run(
      "INSERT INTO space_children (room_nid, child_id, event_nid) VALUES (?, ?, ?)",
      roomNid,
      roomId,
      eventNid,
    );
  }
}

function putFields(db: Connection, roomNid: number, fields: RoomFields): void {
  const searched = [fields.name, fields.topic, fields.canonicalAlias].filter((text) => text !== null);
  db.run(
    `INSERT OR REPLACE INTO room_summaries (room_nid, name, topic, avatar_url, canonical_alias, room_type, encryption,
       join_rule, allowed_room_ids, history_visibility, guest_access, creator, is_federatable, search_text)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    roomNid,
    fields.name,
    fields.topic,
    fields.avatarUrl,
    fields.canonicalAlias,
    fields.roomType,
    fields.encryption,
    fields.joinRule,
    JSON.stringify(fields.allowedRoomIds),
    fields.historyVisibility,
    fields.guestAccess,
    fields.creator,
    Number(fields.isFederatable),
    foldText(searched.join("\n")),
  );
}

export const roomSummaryOperations: StoreOperations<RoomSummaryStore> = {
  of: point(summaryOf),
  listPublic: scan(listPublic),
  childEventNids: point((db, roomNid: number, limit: number) =>
    db
      .all<{ nid: number }>(
        "SELECT event_nid AS nid FROM space_children WHERE room_nid = ? LIMIT ?",
        roomNid,
        limit,
      )
      .map((row) => row.nid),
  ),
};
