import type {
  Delivery,
  FullInbox,
  InboxBound,
  ReceivedToDevice,
  RemoteToDevice,
  ToDeviceMessage,
  ToDeviceStore,
  ToDeviceTransaction,
  WaitingMessage,
} from "../../to-device.ts";
import type { Connection } from "../engine/connection.ts";
import { point, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";
import { addOutgoingToDevice } from "./destinations.ts";

/** Each send takes so many transactions away that have grown old: more than it adds, so that they never pile up. */
const forgottenAtOnce = 4;
/** Other servers may send much in a short time: beyond this many, messages are forgotten before their time. */
const rememberedMessages = 1_000_000;

function send(
  tx: WriteTransaction,
  messages: readonly ToDeviceMessage[],
  bound: InboxBound,
  transaction: ToDeviceTransaction | null,
  remote: readonly RemoteToDevice[] = [],
): Delivery {
  if (transaction && !beginTransaction(tx.db, transaction)) return nothingDelivered;
  const here = deliverAll(tx, messages, bound);
  const fullServers = remote.filter((message) => !addOutgoingToDevice(tx.db, message, bound));
  const delivery = {
    delivered: here.delivered + remote.length - fullServers.length,
    full: here.full,
    fullServers: [...new Set(fullServers.map(({ serverName }) => serverName))],
  };
  const isFull = delivery.full.length > 0 || fullServers.length > 0;
  if (transaction && isFull && delivery.delivered === 0) forgetTransaction(tx.db, transaction);
  return delivery;
}

const nothingDelivered: Delivery = { delivered: 0, full: [], fullServers: [] };

function receive(
  tx: WriteTransaction,
  received: ReceivedToDevice,
  messages: readonly ToDeviceMessage[],
  bound: InboxBound,
): Delivery {
  const { origin, messageId } = received;
  const known = tx.db.get(
    "SELECT 1 FROM received_to_device WHERE origin = ? AND message_id = ?",
    origin,
    messageId,
  );
  if (known) return nothingDelivered;
  const { delivered, full } = deliverAll(tx, messages, bound);
  // What reached nobody may come again.
  if (delivered > 0) remember(tx.db, received);
  return { delivered, full, fullServers: [] };
}

function remember(db: Connection, { origin, messageId, receivedTs, forgetBeforeTs }: ReceivedToDevice): void {
  const nid = db.insert(
    "INSERT INTO received_to_device (origin, message_id, received_ts) VALUES (?, ?, ?)",
    origin,
    messageId,
    receivedTs,
  );
  db.run(
    `DELETE FROM received_to_device WHERE (received_ts < ? OR received_nid <= ?) AND received_nid IN
       (SELECT received_nid FROM received_to_device ORDER BY received_nid LIMIT ${forgottenAtOnce})`,
    forgetBeforeTs,
    nid - rememberedMessages,
  );
}

function deliverAll(
  tx: WriteTransaction,
  messages: readonly ToDeviceMessage[],
  bound: InboxBound,
): Pick<Delivery, "delivered" | "full"> {
  let delivered = 0;
  const full: FullInbox[] = [];
  for (const { userNid, deviceId, event } of messages) {
    for (const recipient of recipientsOf(tx.db, userNid, deviceId)) {
      if (deliver(tx, userNid, recipient, event, bound)) delivered += 1;
      else full.push({ userNid, deviceId: recipient });
    }
  }
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

/** False when the inbox has no room for the message. */
function deliver(
  tx: WriteTransaction,
  userNid: number,
  deviceId: string,
  event: string,
  { maxMessages, maxBytes }: InboxBound,
): boolean {
  const counted = tx.db.run(
    `INSERT INTO to_device_inboxes (user_nid, device_id, waiting, waiting_bytes)
       SELECT ?1, ?2, 1, ?3 WHERE ?3 <= ?5
     ON CONFLICT DO UPDATE SET waiting = waiting + 1, waiting_bytes = waiting_bytes + ?3
       WHERE waiting < ?4 AND waiting_bytes + ?3 <= ?5`,
    userNid,
    deviceId,
    Buffer.byteLength(event),
    maxMessages,
    maxBytes,
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
  const deleted = db.all<{ bytes: number }>(
    `DELETE FROM to_device_messages WHERE user_nid = ? AND device_id = ? AND position <= ?
     RETURNING octet_length(event) AS bytes`,
    userNid,
    deviceId,
    upTo,
  );
  if (deleted.length === 0) return;
  const bytes = deleted.reduce((sum, message) => sum + message.bytes, 0);
  makeRoom(db, userNid, deviceId, deleted.length, bytes);
}

/** Removes one message that its device does not have to fetch any more: part of transactions that hand it over. */
export function takeToDeviceMessage(db: Connection, position: number): void {
  const message = db.get<{ userNid: number; deviceId: string; bytes: number }>(
    `DELETE FROM to_device_messages WHERE position = ?
     RETURNING user_nid AS userNid, device_id AS deviceId, octet_length(event) AS bytes`,
    position,
  );
  if (message) makeRoom(db, message.userNid, message.deviceId, 1, message.bytes);
}

function makeRoom(db: Connection, userNid: number, deviceId: string, messages: number, bytes: number): void {
  db.run(
    `UPDATE to_device_inboxes SET waiting = waiting - ?3, waiting_bytes = waiting_bytes - ?4
     WHERE user_nid = ?1 AND device_id = ?2`,
    userNid,
    deviceId,
    messages,
    bytes,
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
  receive: write(receive),
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
