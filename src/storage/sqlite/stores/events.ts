import { membershipCodes } from "../../memberships.ts";
import {
  eventFlags,
  type EventOutline,
  type EventStore,
  type SendTransaction,
  type StateEntry,
  type StoredEvent,
  type TimelinePlace,
} from "../../events.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations } from "../engine/operations.ts";
import { readAuthNids } from "./auth-edges.ts";

const columns = `event_nid AS eventNid, event_id AS eventId, room_nid AS roomNid, position, type_nid AS typeNid,
  pair_nid AS pairNid, sender_nid AS senderNid, depth, origin_server_ts AS originServerTs, state_before AS stateBefore,
  state_after AS stateAfter, room_state AS roomState, flags, redacted_by AS redactedBy, replaces,
  delay_id AS delayId, common, federation`;

const byNidSql = `SELECT ${columns} FROM events WHERE event_nid = ?`;
const byNidsSql = `SELECT ${columns} FROM events WHERE event_nid IN (SELECT value FROM json_each(?))`;
const byIdSql = `SELECT ${columns} FROM events WHERE event_id = ?`;
const nidsOfSql = `SELECT event_id AS eventId, event_nid AS eventNid FROM events
  WHERE event_id IN (SELECT value FROM json_each(?))`;
const stateEntriesSql = `SELECT event_id AS eventId, event_nid AS eventNid, room_nid AS roomNid, pair_nid AS pairNid
  FROM events WHERE event_id IN (SELECT value FROM json_each(?))`;
/** Those without a position are few, and have come after the event. */
const graphSinceSql = `WITH start AS (SELECT event_nid, position FROM events WHERE event_nid = ?)
  SELECT events.event_nid AS nid FROM events, start
    WHERE events.room_nid = ? AND events.position >= start.position
  UNION ALL
  SELECT events.event_nid AS nid FROM events, start
    WHERE (events.event_nid > start.event_nid OR events.flags & ${eventFlags.early} <> 0)
      AND events.room_nid = ? AND events.position IS NULL AND events.state_after IS NOT NULL
  ORDER BY nid`;
const forwardsSql = `SELECT ${columns} FROM events
  WHERE room_nid = ? AND position > ? AND position <= ? ORDER BY position LIMIT ?`;
const placesSql = `SELECT event_nid AS eventNid, position FROM events
  WHERE room_nid = ? AND position <= ? AND position > ? ORDER BY position DESC LIMIT ?`;
const outlinesSql = `SELECT event_nid AS eventNid, position, pair_nid AS pairNid, sender_nid AS senderNid,
    redacted_by AS redactedBy
  FROM events WHERE room_nid = ? AND position <= ? AND position > ? ORDER BY position DESC LIMIT ?`;
const joinedRoomsSql = `SELECT room_nid AS roomNid, last_position AS lastPosition
  FROM memberships JOIN rooms USING (room_nid)
  WHERE user_nid = ? AND membership = ${membershipCodes.join} ORDER BY last_position DESC`;
const notBeforeSql = `SELECT event_nid AS nid FROM events
  WHERE room_nid = ? AND position <= ? AND origin_server_ts >= ? ORDER BY origin_server_ts, position LIMIT ?`;
const notAfterSql = `SELECT event_nid AS nid FROM events
  WHERE room_nid = ? AND position <= ? AND origin_server_ts <= ?
  ORDER BY origin_server_ts DESC, position DESC LIMIT ?`;
const byTransactionSql = `SELECT event_nid AS nid FROM send_transactions
  WHERE user_nid = ? AND device_id = ? AND transaction_id = ? AND room_nid = ? AND type_nid = ? AND target_id = ?`;
const transactionIdsSql = `SELECT event_nid AS eventNid, transaction_id AS id FROM send_transactions
  WHERE event_nid IN (SELECT value FROM json_each(?)) AND user_nid = ? AND device_id = ?`;

export const eventOperations: StoreOperations<EventStore> = {
  byNid: point((db, eventNid: number) => db.get<StoredEvent>(byNidSql, eventNid)),
  byNids: point((db, eventNids: readonly number[]) =>
    db.all<StoredEvent>(byNidsSql, JSON.stringify(eventNids)),
  ),
  byId: point((db, eventId: string) => db.get<StoredEvent>(byIdSql, eventId)),
  nidOf: point(
    (db, eventId: string) =>
      db.get<{ nid: number }>("SELECT event_nid AS nid FROM events WHERE event_id = ?", eventId)?.nid,
  ),
  nidsOf: point((db, eventIds: readonly string[]) =>
    db.all<{ eventId: string; eventNid: number }>(nidsOfSql, JSON.stringify(eventIds)),
  ),
  stateEntries: point((db, eventIds: readonly string[]) =>
    db.all<StateEntry>(stateEntriesSql, JSON.stringify(eventIds)),
  ),
  waitingRedactions: point((db, targetId: string) =>
    db
      .all<{ nid: number }>(
        "SELECT redaction_nid AS nid FROM waiting_redactions WHERE target_id = ? ORDER BY redaction_nid LIMIT 20",
        targetId,
      )
      .map(({ nid }) => nid),
  ),
  graphSince: scan((db, roomNid: number, eventNid: number) =>
    db.all<{ nid: number }>(graphSinceSql, eventNid, roomNid, roomNid).map(({ nid }) => nid),
  ),
  gaps: point((db, roomNid: number) =>
    db
      .all<{ position: number }>(
        "SELECT DISTINCT position FROM timeline_gaps WHERE room_nid = ? ORDER BY position",
        roomNid,
      )
      .map(({ position }) => position),
  ),
  strippedState: point((db, memberEventNid: number) => {
    const row = db.get<{ events: string }>(
      "SELECT events FROM stripped_states WHERE event_nid = ?",
      memberEventNid,
    );
    return row && (JSON.parse(row.events) as string[]);
  }),
  gapFollowers: point((db, roomNid: number, position: number) =>
    db
      .all<{ nid: number }>(
        "SELECT event_nid AS nid FROM timeline_gaps WHERE room_nid = ? AND position = ?",
        roomNid,
        position,
      )
      .map(({ nid }) => nid),
  ),
  outlinesBackwards: scan((db, roomNid: number, from: number, downTo: number, limit: number) =>
    db.all<EventOutline>(outlinesSql, roomNid, from, downTo, limit),
  ),
  timelineForwards: point((db, roomNid: number, from: number, upTo: number, limit: number) =>
    db.all<StoredEvent>(forwardsSql, roomNid, from, upTo, limit),
  ),
  placesBackwards: point((db, roomNid: number, from: number, downTo: number, limit: number) =>
    db.all<TimelinePlace>(placesSql, roomNid, from, downTo, limit),
  ),
  placesInJoinedRooms: scan(readPlacesInJoinedRooms),
  closestInTime: scan(
    (db, roomNid: number, ts: number, direction: "forwards" | "backwards", upTo: number, limit: number) =>
      db
        .all<{ nid: number }>(direction === "forwards" ? notBeforeSql : notAfterSql, roomNid, upTo, ts, limit)
        .map(({ nid }) => nid),
  ),
  authChain: scan((db, eventNids: readonly number[]) => {
    const chain = new Set<number>();
    const pending = [...eventNids];
    for (let nid = pending.pop(); nid !== undefined; nid = pending.pop()) {
      for (const authNid of readAuthNids(db, nid)) {
        if (chain.has(authNid)) continue;
        chain.add(authNid);
        pending.push(authNid);
      }
    }
    return [...chain];
  }),
  authNids: point(readAuthNids),
  byTransaction: point(eventSentUnder),
  hasTransactions: point(
    (db, userNid: number, deviceId: string) =>
      db.get(
        "SELECT 1 FROM send_transactions WHERE user_nid = ? AND device_id = ? LIMIT 1",
        userNid,
        deviceId,
      ) !== undefined,
  ),
  transactionIds: point((db, userNid: number, deviceId: string, eventNids: readonly number[]) => {
    const rows = db.all<{ eventNid: number; id: string }>(
      transactionIdsSql,
      JSON.stringify(eventNids),
      userNid,
      deviceId,
    );
    return new Map(rows.map(({ eventNid, id }) => [eventNid, id]));
  }),
};

function readPlacesInJoinedRooms(
  db: Connection,
  userNid: number,
  from: number,
  limit: number,
): TimelinePlace[] {
  let newest: TimelinePlace[] = [];
  for (const room of db.all<{ roomNid: number; lastPosition: number }>(joinedRoomsSql, userNid)) {
    const oldest = newest.length < limit ? undefined : newest.at(-1)?.position;
    // The rooms that come now have nothing that is newer.
    if (oldest !== undefined && room.lastPosition < oldest) break;
    const downTo = oldest ?? Number.MIN_SAFE_INTEGER;
    const places = db.all<TimelinePlace>(placesSql, room.roomNid, from, downTo, limit);
    newest = [...newest, ...places].toSorted((a, b) => b.position - a.position).slice(0, limit);
  }
  return newest;
}

/** The event that a device has sent under a transaction ID. */
export function eventSentUnder(
  db: Connection,
  { userNid, deviceId, transactionId, roomNid, typeNid, targetId }: SendTransaction,
): number | undefined {
  return db.get<{ nid: number }>(
    byTransactionSql,
    userNid,
    deviceId,
    transactionId,
    roomNid,
    typeNid,
    targetId,
  )?.nid;
}
