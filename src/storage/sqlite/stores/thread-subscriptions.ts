import {
  maxThreadSubscriptions,
  type ThreadName,
  type ThreadSubscription,
  type ThreadSubscriptionStore,
} from "../../thread-subscriptions.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";

interface Row extends ThreadName {
  readonly isSubscribed: number;
  readonly isAutomatic: number;
  readonly position: number;
}

const columns = `room_nid AS roomNid, root_id AS rootId, is_subscribed AS isSubscribed, is_automatic AS isAutomatic,
  position`;
const findSql = `SELECT ${columns} FROM thread_subscriptions WHERE user_nid = ? AND room_nid = ? AND root_id = ?`;
const changesSql = `SELECT ${columns} FROM thread_subscriptions
  WHERE user_nid = ? AND position > ? AND position <= ? ORDER BY position DESC LIMIT ?`;
const forgetOldestSql = `DELETE FROM thread_subscriptions WHERE user_nid = ?1 AND position <= (
  SELECT position FROM thread_subscriptions WHERE user_nid = ?1
  ORDER BY position DESC LIMIT 1 OFFSET ${maxThreadSubscriptions})`;

export const threadSubscriptionOperations: StoreOperations<ThreadSubscriptionStore> = {
  find: point(find),
  hasAny: point(
    (db, userNid: number) =>
      db.get("SELECT 1 FROM thread_subscriptions WHERE user_nid = ? LIMIT 1", userNid) !== undefined,
  ),
  subscribe: write(subscribe),
  unsubscribe: write((tx, userNid: number, thread: ThreadName) => {
    if (find(tx.db, userNid, thread)?.isSubscribed) put(tx, userNid, thread, false, false);
  }),
  changes: scan((db, userNid: number, after: number, upTo: number, limit: number) =>
    db.all<Row>(changesSql, userNid, after, upTo, limit).map(subscriptionOf),
  ),
};

function find(
  db: Connection,
  userNid: number,
  { roomNid, rootId }: ThreadName,
): ThreadSubscription | undefined {
  const row = db.get<Row>(findSql, userNid, roomNid, rootId);
  return row && subscriptionOf(row);
}

function subscriptionOf({ isSubscribed, isAutomatic, ...row }: Row): ThreadSubscription {
  return { ...row, isSubscribed: isSubscribed === 1, isAutomatic: isAutomatic === 1 };
}

function subscribe(
  tx: WriteTransaction,
  userNid: number,
  thread: ThreadName,
  causePosition: number | null,
): boolean {
  const known = find(tx.db, userNid, thread);
  const isAutomatic = causePosition !== null;
  if (known?.isSubscribed && (isAutomatic || !known.isAutomatic)) return true;
  if (isAutomatic && known && causePosition <= known.position) return false;
  put(tx, userNid, thread, true, isAutomatic);
  if (!known) tx.db.run(forgetOldestSql, userNid);
  return true;
}

function put(
  tx: WriteTransaction,
  userNid: number,
  { roomNid, rootId }: ThreadName,
  isSubscribed: boolean,
  isAutomatic: boolean,
): void {
  tx.db.run(
    `INSERT OR REPLACE INTO thread_subscriptions (user_nid, room_nid, root_id, is_subscribed, is_automatic, position)
     VALUES (?, ?, ?, ?, ?, ?)`,
    userNid,
    roomNid,
    rootId,
    Number(isSubscribed),
    Number(isAutomatic),
    tx.position("threadSubscriptions", userNid),
  );
}
