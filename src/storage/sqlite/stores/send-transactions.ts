import type { NewEvent } from "../../commits.ts";
import { transactionLifetimeMs } from "../../events.ts";
import type { Connection } from "../engine/connection.ts";
import { eventSentUnder } from "./events.ts";

/** Whether an event's transaction ID has been used before. */
export function isRepetition(
  db: Connection,
  { transaction, senderNid, roomNid, typeNid }: NewEvent,
): boolean {
  if (!transaction) return false;
  const { deviceId, id: transactionId, targetId } = transaction;
  return (
    eventSentUnder(db, { userNid: senderNid, deviceId, transactionId, roomNid, typeNid, targetId }) !==
    undefined
  );
}

/** Each send takes so many transactions away that have grown old: more than it adds, so that they never pile up. */
const forgottenAtOnce = 2;
const oldestTransactionSql =
  "SELECT created_ts AS createdTs FROM send_transactions ORDER BY event_nid LIMIT 1";
const forgetTransactionsSql = `DELETE FROM send_transactions WHERE event_nid IN (
  SELECT event_nid FROM (SELECT event_nid, created_ts FROM send_transactions ORDER BY event_nid LIMIT ${forgottenAtOnce})
  WHERE created_ts < ?)`;
const insertTransactionSql = `INSERT INTO send_transactions
    (event_nid, user_nid, device_id, transaction_id, room_nid, type_nid, target_id, created_ts)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;

/** Remembers what an event has been sent under, if it has been sent by a client. */
export function insertTransaction(db: Connection, event: NewEvent): void {
  const { transaction, senderNid, roomNid, typeNid, eventNid } = event;
  if (!transaction) return;
  const { deviceId, id, targetId, createdTs } = transaction;
  const oldTs = createdTs - transactionLifetimeMs;
  const oldest = db.get<{ createdTs: number }>(oldestTransactionSql);
  if (oldest && oldest.createdTs < oldTs) db.run(forgetTransactionsSql, oldTs);
  db.run(insertTransactionSql, eventNid, senderNid, deviceId, id, roomNid, typeNid, targetId, createdTs);
}
