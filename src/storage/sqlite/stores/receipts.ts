import { isJsonObject } from "../../../protocol/json.ts";
import {
  type FullyReadMarker,
  maxThreadReceipts,
  type Receipt,
  receiptKinds,
  type ReceiptPlace,
  type ReceiptRow,
  type ReceiptStore,
  type RemoteReceipt,
  unthreaded,
} from "../../receipts.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";
import { findAccountData, storeAccountData } from "./account-data.ts";

const privateCode = receiptKinds["m.read.private"];
const fullyReadType = "m.fully_read";

const columns = `room_nid AS roomNid, user_nid AS userNid, kind AS code, thread, event_id AS eventId,
  event_position AS eventPosition, ts, position`;
const ofUserSql = `SELECT ${columns} FROM receipts
  WHERE user_nid = ? AND room_nid IN (SELECT value FROM json_each(?))`;
const changedSql = `SELECT ${columns} FROM receipts
  WHERE room_nid = ?1 AND position > ?3 AND position <= ?4 AND (kind <> ${privateCode} OR user_nid = ?2)
  ORDER BY position`;
const allChangedSql = `SELECT ${columns} FROM receipts
  WHERE room_nid = ? AND position > ? AND position <= ? ORDER BY position`;
const newestSql = `SELECT ${columns} FROM receipts
  WHERE room_nid = ? AND kind <> ${privateCode} AND user_nid <> ? AND position <= ? ORDER BY position DESC LIMIT ?`;
const roomsReadSql = `SELECT DISTINCT room_nid AS nid FROM receipts
  WHERE user_nid = ? AND position > ? AND position <= ?`;
/** From room to room by the index: of each, only the newest. */
const roomsChangedSql = `WITH RECURSIVE read (nid) AS (
    SELECT min(room_nid) FROM receipts
    UNION ALL SELECT (SELECT min(room_nid) FROM receipts WHERE room_nid > read.nid) FROM read WHERE read.nid IS NOT NULL)
  SELECT nid FROM (
    SELECT nid, (SELECT max(position) FROM receipts WHERE room_nid = nid) AS newest FROM read WHERE nid IS NOT NULL)
  WHERE newest > ? ORDER BY newest DESC LIMIT ?`;
const currentSql = `SELECT event_position AS eventPosition FROM receipts
  WHERE user_nid = ? AND room_nid = ? AND kind = ? AND thread = ?`;
const putSql = `INSERT INTO receipts (user_nid, room_nid, kind, thread, event_id, event_position, ts, position)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET event_id = excluded.event_id, event_position = excluded.event_position, ts = excluded.ts,
    position = excluded.position`;
const trimSql = `DELETE FROM receipts WHERE user_nid = ?1 AND room_nid = ?2 AND kind = ?3 AND thread IN (
  SELECT thread FROM receipts WHERE user_nid = ?1 AND room_nid = ?2 AND kind = ?3 AND thread <> ''
  ORDER BY event_position DESC LIMIT -1 OFFSET ${maxThreadReceipts})`;

type StoredReceipt = Omit<ReceiptRow, "kind"> & { readonly code: number };

function toRow({ code, ...row }: StoredReceipt): ReceiptRow {
  return { ...row, kind: code === privateCode ? "m.read.private" : "m.read" };
}

function putReceipt(tx: WriteTransaction, { userNid, roomNid }: ReceiptPlace, receipt: Receipt): boolean {
  return moveReceipt(tx.db, userNid, roomNid, receipt, () => {
    if (receipt.kind !== "m.read.private") tx.position("receipts", roomNid);
    return tx.position("notifications", userNid, { readRoomNid: roomNid });
  });
}

/** They share a position: whoever hears of the room's receipts reads all that have changed. */
function putRemote(tx: WriteTransaction, roomNid: number, receipts: readonly RemoteReceipt[]): void {
  let position: number | undefined;
  for (const receipt of receipts) {
    moveReceipt(
      tx.db,
      receipt.userNid,
      roomNid,
      receipt,
      () => (position ??= tx.position("receipts", roomNid)),
    );
  }
}

function moveReceipt(
  db: Connection,
  userNid: number,
  roomNid: number,
  { kind, thread, eventId, eventPosition, ts }: Receipt,
  takePosition: () => number,
): boolean {
  const code = receiptKinds[kind];
  const current = db.get<{ eventPosition: number }>(currentSql, userNid, roomNid, code, thread);
  if (current && current.eventPosition >= eventPosition) return false;
  db.run(putSql, userNid, roomNid, code, thread, eventId, eventPosition, ts, takePosition());
  if (!current && thread !== unthreaded) db.run(trimSql, userNid, roomNid, code);
  return true;
}

function putFullyRead(
  tx: WriteTransaction,
  { userNid, roomNid, roomId }: ReceiptPlace,
  { eventId, eventPosition, mayGoBack }: FullyReadMarker,
): boolean {
  const current = fullyReadPosition(tx.db, userNid, roomNid, roomId);
  if (current === eventPosition || (!mayGoBack && current !== undefined && current > eventPosition))
    return false;
  const content = JSON.stringify({ event_id: eventId });
  storeAccountData(tx, userNid, { scope: roomId, type: fullyReadType, content });
  return true;
}

function fullyReadPosition(
  db: Connection,
  userNid: number,
  roomNid: number,
  roomId: string,
): number | undefined {
  const content: unknown = JSON.parse(findAccountData(db, userNid, roomId, fullyReadType) ?? "{}");
  const eventId = isJsonObject(content) ? content["event_id"] : undefined;
  if (typeof eventId !== "string") return undefined;
  const event = db.get<{ position: number | null }>(
    "SELECT position FROM events WHERE event_id = ? AND room_nid = ?",
    eventId,
    roomNid,
  );
  return event?.position ?? undefined;
}

export const receiptOperations: StoreOperations<ReceiptStore> = {
  put: write(
    (tx, place: ReceiptPlace, receipts: readonly Receipt[], fullyRead: FullyReadMarker | null) =>
      receipts.filter((receipt) => putReceipt(tx, place, receipt)).length +
      (fullyRead && putFullyRead(tx, place, fullyRead) ? 1 : 0),
  ),
  putRemote: write(putRemote),
  ofUser: point((db, userNid: number, roomNids: readonly number[]) =>
    db.all<StoredReceipt>(ofUserSql, userNid, JSON.stringify(roomNids)).map(toRow),
  ),
  allChangedBetween: point((db, roomNid: number, since: number, upTo: number) =>
    db.all<StoredReceipt>(allChangedSql, roomNid, since, upTo).map(toRow),
  ),
  roomsChangedAfter: scan((db, position: number, limit: number) =>
    db.all<{ nid: number }>(roomsChangedSql, position, limit).map(({ nid }) => nid),
  ),
  toldUpTo: point(
    (db) => db.get<{ upTo: number }>("SELECT up_to AS upTo FROM receipts_told WHERE id = 1")?.upTo ?? 0,
  ),
  saveToldUpTo: write(({ db }, position: number) => {
    db.run(
      "INSERT INTO receipts_told (id, up_to) VALUES (1, ?) ON CONFLICT DO UPDATE SET up_to = excluded.up_to",
      position,
    );
  }),
  changedBetween: point((db, roomNid: number, userNid: number, since: number, upTo: number) =>
    db.all<StoredReceipt>(changedSql, roomNid, userNid, since, upTo).map(toRow),
  ),
  newest: scan((db, roomNids: readonly number[], userNid: number, upTo: number, limit: number) =>
    [
      ...roomNids.flatMap((roomNid) => db.all<StoredReceipt>(newestSql, roomNid, userNid, upTo, limit)),
      ...db.all<StoredReceipt>(ofUserSql, userNid, JSON.stringify(roomNids)),
    ].map(toRow),
  ),
  roomsReadBetween: point((db, userNid: number, since: number, upTo: number) =>
    db.all<{ nid: number }>(roomsReadSql, userNid, since, upTo).map(({ nid }) => nid),
  ),
};

/** Part of the transaction in which a user ceases to be in a room: what they have read there is of no more use. */
export function forgetReading(db: Connection, userNid: number, roomNid: number): void {
  db.run("DELETE FROM receipts WHERE user_nid = ? AND room_nid = ?", userNid, roomNid);
  db.run("DELETE FROM unread_checkpoints WHERE user_nid = ? AND room_nid = ?", userNid, roomNid);
}
