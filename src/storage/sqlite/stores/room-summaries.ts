import { emptyRoomSummary, type RoomSummaryFields } from "../../../protocol/room-summary.ts";
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

type StoredSummary = Omit<RoomSummary, "isWorldReadable" | "guestCanJoin" | "allowedRoomIds"> & {
  readonly isWorldReadable: number;
  readonly guestCanJoin: number;
  readonly allowedRoomIds: string;
};

const columns = `room_nid AS roomNid, room_id AS roomId, version, joined_members AS joinedMembers, name, topic,
  avatar_url AS avatarUrl, canonical_alias AS canonicalAlias, room_type AS roomType, encryption,
  join_rule AS joinRule, allowed_room_ids AS allowedRoomIds, is_world_readable AS isWorldReadable,
  guest_can_join AS guestCanJoin`;
const byNidSql = `SELECT ${columns} FROM rooms JOIN room_summaries USING (room_nid) WHERE room_nid = ?`;

/** ?1 is the search term, ?2 the room types as a JSON list; either may be null. */
const listed = `is_public = 1 AND joined_members > 0
  AND (join_rule NOT IN ('invite', 'private') OR is_world_readable = 1)
  AND (?1 IS NULL OR instr(search_text, ?1) > 0)
  AND (?2 IS NULL OR EXISTS (SELECT 1 FROM json_each(?2) WHERE value IS room_type))`;
const fromRooms = "FROM rooms JOIN room_summaries USING (room_nid)";
const countSql = `SELECT count(*) AS total ${fromRooms} WHERE ${listed}`;
/** An estimate, from the index alone: those few that nobody could come into are counted, too. */
const estimateSql = "SELECT count(*) AS total FROM rooms WHERE is_public = 1 AND joined_members > 0";
const forwardsSql = `SELECT ${columns} ${fromRooms} WHERE ${listed}
  AND joined_members <= ?3 AND NOT (joined_members = ?3 AND room_nid <= ?4)
  ORDER BY joined_members DESC, room_nid LIMIT ?5`;
const backwardsSql = `SELECT ${columns} ${fromRooms} WHERE ${listed}
  AND joined_members >= ?3 AND NOT (joined_members = ?3 AND room_nid >= ?4)
  ORDER BY joined_members, room_nid DESC LIMIT ?5`;

const beginning: DirectoryPlace = {
  direction: "forwards",
  joinedMembers: Number.MAX_SAFE_INTEGER,
  roomNid: 0,
};

function toSummary(row: StoredSummary): RoomSummary {
  return {
    ...row,
    isWorldReadable: row.isWorldReadable === 1,
    guestCanJoin: row.guestCanJoin === 1,
    allowedRoomIds: JSON.parse(row.allowedRoomIds) as string[],
  };
}

function summaryOf(db: Connection, roomNid: number): RoomSummary | undefined {
  const row = db.get<StoredSummary>(byNidSql, roomNid);
  return row && toSummary(row);
}

function listPublic(
  db: Connection,
  { searchTerm, roomTypes, from = beginning, limit }: PublicRoomsQuery,
): PublicRoomsPage {
  const term = searchTerm === undefined ? null : foldText(searchTerm);
  const types = roomTypes === undefined ? null : JSON.stringify(roomTypes);
  const isForwards = from.direction === "forwards";
  const rows = db
    .all<StoredSummary>(
      isForwards ? forwardsSql : backwardsSql,
      term,
      types,
      from.joinedMembers,
      from.roomNid,
      limit + 1,
    )
    .map(toSummary);
  const rooms = rows.slice(0, limit);
  return {
    rooms: isForwards ? rooms : rooms.toReversed(),
    hasMore: rows.length > limit,
    total: count(db, term, types),
  };
}

function count(db: Connection, term: string | null, types: string | null): number {
  const isFiltered = term !== null || types !== null;
  const row = isFiltered
    ? db.get<{ total: number }>(countSql, term, types)
    : db.get<{ total: number }>(estimateSql);
  return row?.total ?? 0;
}

/** For commits: brings up to date what a room tells of itself. */
export function changeSummary(
  db: Connection,
  roomNid: number,
  { fields, children }: RoomSummaryChange,
): void {
  const current: RoomSummaryFields = summaryOf(db, roomNid) ?? emptyRoomSummary;
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

function putFields(db: Connection, roomNid: number, fields: RoomSummaryFields): void {
  const searched = [fields.name, fields.topic, fields.canonicalAlias].filter((text) => text !== null);
  db.run(
    `INSERT OR REPLACE INTO room_summaries (room_nid, name, topic, avatar_url, canonical_alias, room_type, encryption,
       join_rule, allowed_room_ids, is_world_readable, guest_can_join, search_text)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    roomNid,
    fields.name,
    fields.topic,
    fields.avatarUrl,
    fields.canonicalAlias,
    fields.roomType,
    fields.encryption,
    fields.joinRule,
    JSON.stringify(fields.allowedRoomIds),
    Number(fields.isWorldReadable),
    Number(fields.guestCanJoin),
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
