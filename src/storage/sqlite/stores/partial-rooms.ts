import { eventFlags, refusedEarly } from "../../events.ts";
import { membershipCodes } from "../../memberships.ts";
import type { PartialRoomRow, PartialRoomStore } from "../../partial-rooms.ts";
import { point, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";
import { displaceEvent } from "./event-removal.ts";
import { takeEarlyDeviceChanges } from "./remote-device-lists.ts";

const { leave, ban } = membershipCodes;

type StoredRow = Omit<PartialRoomRow, "servers"> & { readonly servers: string };

/**
 * Events of users of other servers that have come since the join, but for those that this server tells others of, and those
 * that made its users leave.
 */
const earlySql = `WITH start AS (
    SELECT events.event_nid, events.position FROM partial_rooms JOIN events ON events.event_id = partial_rooms.join_id
    WHERE partial_rooms.room_nid = ?1 AND events.position IS NOT NULL)
  SELECT events.event_nid AS nid, events.flags FROM events, start
    WHERE events.room_nid = ?1 AND events.position >= start.position
      AND events.flags & ${eventFlags.relayed} = 0
      AND events.sender_nid NOT IN (SELECT user_nid FROM memberships WHERE room_nid = ?1 AND is_local = 1)
      AND events.event_nid NOT IN (SELECT event_nid FROM memberships WHERE room_nid = ?1 AND is_local = 1)
  UNION ALL
  SELECT events.event_nid AS nid, events.flags FROM events, start
    WHERE (events.event_nid > start.event_nid OR events.flags & ${eventFlags.early} <> 0)
      AND events.room_nid = ?1 AND events.position IS NULL
      AND events.state_after IS NOT NULL AND events.flags & ${eventFlags.relayed} = 0
      AND events.sender_nid NOT IN (SELECT user_nid FROM memberships WHERE room_nid = ?1 AND is_local = 1)`;

const leftByOthersSql = `SELECT 1 FROM memberships JOIN events USING (event_nid)
  JOIN partial_rooms ON partial_rooms.room_nid = memberships.room_nid
  JOIN events AS joined ON joined.event_id = partial_rooms.join_id
  WHERE memberships.room_nid = ? AND is_local = 1 AND membership IN (${leave}, ${ban})
    AND events.position > joined.position
    AND events.sender_nid NOT IN (SELECT user_nid FROM users WHERE users.is_local = 1) LIMIT 1`;

/** What was judged by a part of the state loses its place, as if it had been told and never received. */
function displaceEarly(tx: WriteTransaction, roomNid: number): void {
  const { db } = tx;
  const early = db.all<{ nid: number; flags: number }>(earlySql, roomNid);
  if (early.length === 0) return;
  for (const { nid, flags } of early) {
    const kept = (flags & eventFlags.early) === 0 ? flags : flags & ~refusedEarly;
    displaceEvent(db, nid, kept | eventFlags.outlier);
  }
  const restatedNids = early.map(({ nid }) => nid);
  tx.position("timeline", roomNid, { isHistory: true, restatedNids });
}

/** The last part of the transactions after which a room is partial no more. */
export function endPartial(tx: WriteTransaction, roomNid: number): void {
  tx.db.run("DELETE FROM partial_rooms WHERE room_nid = ?", roomNid);
  forgetToldServers(tx, roomNid);
  takeEarlyDeviceChanges(tx, roomNid);
}

function forgetToldServers({ db }: WriteTransaction, roomNid: number): void {
  db.run("UPDATE room_servers SET is_told = 0 WHERE room_nid = ? AND is_told = 1", roomNid);
  db.run("DELETE FROM room_servers WHERE room_nid = ? AND joined <= 0", roomNid);
}

export const partialRoomOperations: StoreOperations<PartialRoomStore> = {
  all: point((db) =>
    db
      .all<StoredRow>("SELECT room_nid AS roomNid, join_id AS joinId, servers FROM partial_rooms")
      .map((row) => ({ ...row, servers: JSON.parse(row.servers) as string[] })),
  ),
  completed: point((db) =>
    db.all<{ roomNid: number; position: number }>(
      "SELECT room_nid AS roomNid, whole_position AS position FROM rooms WHERE whole_position IS NOT NULL",
    ),
  ),
  isLeftByOthers: point((db, roomNid: number) => db.get(leftByOthersSql, roomNid) !== undefined),
  begin: write((tx, { roomNid, joinId, servers }: PartialRoomRow) => {
    displaceEarly(tx, roomNid);
    forgetToldServers(tx, roomNid);
    for (const server of servers) {
      tx.db.run(
        `INSERT INTO room_servers (room_nid, server_name, joined, is_told) VALUES (?, ?, 0, 1)
         ON CONFLICT DO UPDATE SET is_told = 1`,
        roomNid,
        server,
      );
    }
    tx.db.run(
      `INSERT INTO partial_rooms (room_nid, join_id, servers) VALUES (?, ?, ?)
       ON CONFLICT (room_nid) DO UPDATE SET join_id = excluded.join_id, servers = excluded.servers`,
      roomNid,
      joinId,
      JSON.stringify(servers),
    );
  }),
  end: write((tx, roomNid: number) => {
    displaceEarly(tx, roomNid);
    endPartial(tx, roomNid);
  }),
};
