import type {
  Delivery,
  FullInbox,
  ToDeviceMessage,
  ToDeviceStore,
  ToDeviceTransaction,
  WaitingMessage,
} from "../../to-device.ts";
import type { Connection } from "../engine/connection.ts";
import { point, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";

/** Each send takes so many transactions away that have grown old: more than it adds, so that they never pile up. */
const forgottenAtOnce = 4;

function send(
  tx: WriteTransaction,
  messages: readonly ToDeviceMessage[],
  maxWaiting: number,
  transaction: ToDeviceTransaction | null,
): Delivery {
  if (transaction && !beginTransaction(tx.db, transaction)) return { delivered: 0, full: [] };
  let delivered = 0;
  const full: FullInbox[] = [];
  for (const { userNid, deviceId, event } of messages) {
    for (const recipient of recipientsOf(tx.db, userNid, deviceId)) {
      if (deliver(tx, userNid, recipient, event, maxWaiting)) delivered += 1;
      else full.push({ userNid, deviceId: recipient });
    }
  }
  if (transaction && full.length > 0 && delivered === 0) forgetTransaction(tx.db, transaction);
  return { delivered, full };
}

function forgetTransaction(
  db: Connection,
  { userNid, deviceId, eventType, transactionId }: ToDeviceTransaction,
): void {
  db.run(
    `DELETE FROM to_device_transactions
     WHERE user_nid = ? AND device_id = ? AND transaction_id = ? AND event_type = ?`,
    userNid,
    deviceId,
    transactionId,
    eventType,
  );
}

/** False when the transaction is a repetition. */
function beginTransaction(db: Connection, transaction: ToDeviceTransaction): boolean {
  const { userNid, deviceId, eventType, transactionId, createdTs, forgetBeforeTs } = transaction;
  db.run(
    `DELETE FROM to_device_transactions WHERE created_ts < ? AND transaction_nid IN
       (SELECT transaction_nid FROM to_device_transactions ORDER BY transaction_nid LIMIT ${forgottenAtOnce})`,
    forgetBeforeTs,
  );
  const added = db.run(
    `INSERT OR IGNORE INTO to_device_transactions (user_nid, device_id, event_type, transaction_id, created_ts)
     VALUES (?, ?, ?, ?, ?)`,
    userNid,
    deviceId,
    eventType,
    transactionId,
    createdTs,
  );
  return added > 0;
}

function recipientsOf(db: Connection, userNid: number, deviceId: string): string[] {
  const rows =
    deviceId === "*"
      ? db.all<{ id: string }>("SELECT device_id AS id FROM devices WHERE user_nid = ?", userNid)
      : db.all<{ id: string }>(
          "SELECT device_id AS id FROM devices WHERE user_nid = ? AND device_id = ?",
          userNid,
          deviceId,
        );
  return rows.map(({ id }) => id);
}

/** False when the inbox is full. */
function deliver(
  tx: WriteTransaction,
  userNid: number,
  deviceId: string,
  event: string,
  maxWaiting: number,
): boolean {
  const counted = tx.db.run(
    `INSERT INTO to_device_inboxes (user_nid, device_id, waiting) VALUES (?1, ?2, 1)
     ON CONFLICT DO UPDATE SET waiting = waiting + 1 WHERE waiting < ?3`,
    userNid,
    deviceId,
    maxWaiting,
  );
  if (counted === 0) return false;
  tx.db.run(
    "INSERT INTO to_device_messages (position, user_nid, device_id, event) VALUES (?, ?, ?, ?)",
    tx.position("toDevice", userNid),
    userNid,
    deviceId,
    event,
  );
  return true;
}

function deleteUpTo({ db }: WriteTransaction, userNid: number, deviceId: string, upTo: number): void {
  const deleted = db.run(
    "DELETE FROM to_device_messages WHERE user_nid = ? AND device_id = ? AND position <= ?",
    userNid,
    deviceId,
    upTo,
  );
  if (deleted === 0) return;
  db.run(
    "UPDATE to_device_inboxes SET waiting = waiting - ? WHERE user_nid = ? AND device_id = ?",
    deleted,
    userNid,
    deviceId,
  );
}

/** Removes one message that its device does not have to fetch any more: part of transactions that hand it over. */
export function takeToDeviceMessage(db: Connection, position: number): void {
  const message = db.get<{ userNid: number; deviceId: string }>(
    "DELETE FROM to_device_messages WHERE position = ? RETURNING user_nid AS userNid, device_id AS deviceId",
    position,
  );
  if (!message) return;
  db.run(
    "UPDATE to_device_inboxes SET waiting = waiting - 1 WHERE user_nid = ? AND device_id = ?",
    message.userNid,
    message.deviceId,
  );
}

/** Removes what waits for a device: part of every transaction that ends one. */
export function deleteToDeviceMessages({ db }: WriteTransaction, userNid: number, deviceId: string): void {
  db.run("DELETE FROM to_device_messages WHERE user_nid = ? AND device_id = ?", userNid, deviceId);
  db.run("DELETE FROM to_device_inboxes WHERE user_nid = ? AND device_id = ?", userNid, deviceId);
  db.run("DELETE FROM to_device_transactions WHERE user_nid = ? AND device_id = ?", userNid, deviceId);
}

export const toDeviceOperations: StoreOperations<ToDeviceStore> = {
  send: write(send),
  messagesFor: point((db, userNid: number, deviceId: string, after: number, upTo: number, limit: number) =>
    db.all<WaitingMessage>(
      `SELECT position, event FROM to_device_messages
         WHERE user_nid = ? AND device_id = ? AND position > ? AND position <= ? ORDER BY position LIMIT ?`,
      userNid,
      deviceId,
      after,
      upTo,
      limit,
    ),
  ),
  hasUpTo: point(
    (db, userNid: number, deviceId: string, upTo: number) =>
      db.get(
        "SELECT 1 FROM to_device_messages WHERE user_nid = ? AND device_id = ? AND position <= ? LIMIT 1",
        userNid,
        deviceId,
        upTo,
      ) !== undefined,
  ),
  deleteUpTo: write(deleteUpTo),
};
