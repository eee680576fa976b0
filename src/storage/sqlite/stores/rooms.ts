import { membershipCodes } from "../../memberships.ts";
import type { AliasRow, ExtremityRow, HighestNids, RoomRow, RoomStore } from "../../rooms.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write } from "../engine/operations.ts";

const columns = `room_nid AS roomNid, room_id AS roomId, version, current_snapshot AS currentSnapshot,
  last_position AS lastPosition, is_public AS isPublic`;
const byIdSql = `SELECT ${columns} FROM rooms WHERE room_id = ? AND is_removed <= ?`;
const byNidSql = `SELECT ${columns} FROM rooms WHERE room_nid = ?`;

type StoredRoom = Omit<RoomRow, "isPublic"> & { readonly isPublic: number };

function toRoom(row: StoredRoom | undefined): RoomRow | undefined {
  return row && { ...row, isPublic: row.isPublic === 1 };
}

/** Also part of the transaction that makes a room. False when the alias is taken. */
export function insertAlias(db: Connection, { alias, roomNid, creatorNid }: AliasRow): boolean {
  const inserted = db.run(
    "INSERT INTO room_aliases (alias, room_nid, creator_nid) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    alias,
    roomNid,
    creatorNid,
  );
  return inserted > 0;
}

export const roomOperations: StoreOperations<RoomStore> = {
  byId: point((db, roomId: string, evenRemoved = false) =>
    toRoom(db.get<StoredRoom>(byIdSql, roomId, Number(evenRemoved))),
  ),
  byNid: point((db, roomNid: number) => toRoom(db.get<StoredRoom>(byNidSql, roomNid))),
  joinedWithEventsAfter: point((db, userNid: number, position: number) =>
    db
      .all<{ nid: number }>(
        `SELECT room_nid AS nid FROM memberships JOIN rooms USING (room_nid)
         WHERE user_nid = ? AND membership = ? AND last_position > ?`,
        userNid,
        membershipCodes.join,
        position,
      )
      .map((row) => row.nid),
  ),
  withEventsAfter: scan((db, position: number) =>
    db
      .all<{ nid: number }>("SELECT room_nid AS nid FROM rooms WHERE last_position > ?", position)
      .map((row) => row.nid),
  ),
  extremities: point((db, roomNid: number) =>
    db.all<ExtremityRow>(
      `SELECT event_nid AS eventNid, event_id AS eventId, depth
       FROM forward_extremities JOIN events USING (event_nid) WHERE forward_extremities.room_nid = ?`,
      roomNid,
    ),
  ),
  highestNids: point((db) => {
    const highest = db.get<HighestNids>(`SELECT
      max(room_nid, (SELECT coalesce(max(room_nid), 0) FROM rooms)) AS roomNid,
      max(event_nid, (SELECT coalesce(max(event_nid), 0) FROM events)) AS eventNid,
      max(snapshot_nid, (SELECT coalesce(max(snapshot_nid), 0) FROM state_snapshots)) AS snapshotNid
      FROM removed_nids`);
    return highest ?? { roomNid: 0, eventNid: 0, snapshotNid: 0 };
  }),
  adopt: write(({ db }, roomNid: number, roomId: string, version: string) => {
    db.run(
      "INSERT INTO rooms (room_nid, room_id, version) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
      roomNid,
      roomId,
      version,
    );
  }),
  correctVersion: write(({ db }, roomNid: number, version: string) => {
    const sql = "UPDATE rooms SET version = ? WHERE room_nid = ? AND current_snapshot IS NULL";
    return db.run(sql, version, roomNid) > 0;
  }),
  setPublic: write(({ db }, roomNid: number, isPublic: boolean) => {
    db.run("UPDATE rooms SET is_public = ? WHERE room_nid = ?", isPublic ? 1 : 0, roomNid);
  }),
  alias: point((db, alias: string) =>
    db.get<AliasRow>(
      "SELECT alias, room_nid AS roomNid, creator_nid AS creatorNid FROM room_aliases WHERE alias = ?",
      alias,
    ),
  ),
  aliasesOf: point((db, roomNid: number) =>
    db.all<AliasRow>(
      "SELECT alias, room_nid AS roomNid, creator_nid AS creatorNid FROM room_aliases WHERE room_nid = ? ORDER BY alias",
      roomNid,
    ),
  ),
  addAlias: write(({ db }, alias: AliasRow) => insertAlias(db, alias)),
  removeAlias: write(({ db }, alias: string) => {
    db.run("DELETE FROM room_aliases WHERE alias = ?", alias);
  }),
  moveNames: write(({ db }, fromNid: number, toNid: number) => {
    db.run("UPDATE room_aliases SET room_nid = ? WHERE room_nid = ?", toNid, fromNid);
    const isListed =
      db.run("UPDATE rooms SET is_public = 0 WHERE room_nid = ? AND is_public = 1", fromNid) === 1;
    if (isListed) db.run("UPDATE rooms SET is_public = 1 WHERE room_nid = ?", toNid);
  }),
};
