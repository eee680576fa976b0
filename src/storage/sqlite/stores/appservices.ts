import type {
  AppserviceMessage,
  AppserviceProgress,
  AppserviceStep,
  AppserviceStore,
  RoomMembershipChange,
  RoomPosition,
} from "../../appservices.ts";
import { membershipCodes } from "../../memberships.ts";
import type { StreamChange } from "../../streams.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";
import { takeToDeviceMessage } from "./to-device.ts";

interface ProgressRow extends Omit<AppserviceProgress, "waiting"> {
  readonly transactionId: number | null;
  readonly body: string | null;
  readonly takenMessages: string | null;
}

const progressSql = `SELECT appservice_id AS appserviceId, up_to AS upTo, last_transaction AS lastTransaction,
    failing_since_ts AS failingSinceTs, last_error AS lastError, transaction_id AS transactionId, body,
    taken_messages AS takenMessages
  FROM appservices LEFT JOIN appservice_transactions USING (appservice_id)`;

function begin({ db }: WriteTransaction, ids: readonly string[], position: number): AppserviceProgress[] {
  const kept = JSON.stringify(ids);
  for (const table of ["appservices", "appservice_transactions"] as const) {
    db.run(forgetOthersSql[table], kept);
  }
  db.run(
    `INSERT INTO appservices (appservice_id, up_to, last_transaction) SELECT value, ?2, 0 FROM json_each(?1) WHERE true
     ON CONFLICT DO NOTHING`,
    kept,
    position,
  );
  return db.all<ProgressRow>(progressSql).map(({ transactionId, body, takenMessages, ...row }) => ({
    ...row,
    waiting:
      transactionId === null || body === null
        ? null
        : { transactionId, body, takenMessages: JSON.parse(takenMessages ?? "[]") as number[] },
  }));
}

const forgetOthersSql = {
  appservices: "DELETE FROM appservices WHERE appservice_id NOT IN (SELECT value FROM json_each(?))",
  appservice_transactions:
    "DELETE FROM appservice_transactions WHERE appservice_id NOT IN (SELECT value FROM json_each(?))",
  appservice_rooms:
    "DELETE FROM appservice_rooms WHERE appservice_id NOT IN (SELECT value FROM json_each(?))",
};

function step(
  { db }: WriteTransaction,
  appserviceId: string,
  { upTo, acknowledged, next }: AppserviceStep,
): void {
  if (acknowledged !== null) acknowledge(db, appserviceId, acknowledged);
  db.run("UPDATE appservices SET up_to = max(up_to, ?) WHERE appservice_id = ?", upTo, appserviceId);
  if (!next) return;
  db.run(
    "INSERT INTO appservice_transactions (appservice_id, transaction_id, body, taken_messages) VALUES (?, ?, ?, ?)",
    appserviceId,
    next.transactionId,
    next.body,
    JSON.stringify(next.takenMessages),
  );
  db.run(
    "UPDATE appservices SET last_transaction = ? WHERE appservice_id = ?",
    next.transactionId,
    appserviceId,
  );
}

function acknowledge(db: Connection, appserviceId: string, transactionId: number): void {
  const waiting = db.get<{ taken: string }>(
    `DELETE FROM appservice_transactions WHERE appservice_id = ? AND transaction_id = ?
     RETURNING taken_messages AS taken`,
    appserviceId,
    transactionId,
  );
  if (!waiting) return;
  for (const position of JSON.parse(waiting.taken) as number[]) takeToDeviceMessage(db, position);
  db.run(
    "UPDATE appservices SET failing_since_ts = NULL, last_error = NULL WHERE appservice_id = ?",
    appserviceId,
  );
}

interface ChangeRow {
  readonly position: number;
  readonly stream:
    | "timeline"
    | "membership"
    | "notifications"
    | "presence"
    | "toDevice"
    | "deviceLists"
    | "oneTimeKeys";
  readonly nid: number;
  readonly roomNid: number | null;
  readonly isJoined: number | null;
}

// A room that has nothing new is told from its row alone. Receipts and one-time keys have no order by position: for
// whoever is that far behind their tables are read whole, once for many positions.
const changesSql = `
SELECT e.position, 'timeline' AS stream, e.room_nid AS nid, NULL AS roomNid, NULL AS isJoined
FROM rooms CROSS JOIN events AS e INDEXED BY events_timeline USING (room_nid)
WHERE rooms.last_position > ?1 AND e.position > ?1 AND e.position <= ?2
UNION ALL
SELECT position, 'membership', user_nid, room_nid, membership = ${membershipCodes.join} FROM memberships
WHERE position > ?1 AND position <= ?2
UNION ALL
SELECT position, 'notifications', user_nid, room_nid, NULL FROM receipts WHERE position > ?1 AND position <= ?2
UNION ALL
SELECT position, 'presence', user_nid, NULL, NULL FROM presence WHERE position > ?1 AND position <= ?2
UNION ALL
SELECT position, 'toDevice', user_nid, NULL, NULL FROM to_device_messages WHERE position > ?1 AND position <= ?2
UNION ALL
SELECT position, 'deviceLists', user_nid, NULL, NULL FROM device_list_changes WHERE position > ?1 AND position <= ?2
UNION ALL
SELECT position, 'oneTimeKeys', user_nid, NULL, NULL FROM one_time_key_counts WHERE position > ?1 AND position <= ?2
ORDER BY position`;

function changesBetween(db: Connection, after: number, upTo: number): StreamChange[] {
  return db.all<ChangeRow>(changesSql, after, upTo).map(({ position, stream, nid, roomNid, isJoined }) => ({
    position,
    stream,
    nid,
    ...(stream === "membership" && roomNid !== null && { membership: { roomNid, joined: isJoined === 1 } }),
    ...(stream === "notifications" && roomNid !== null && { readRoomNid: roomNid }),
  }));
}

const localMembershipsSql = `
SELECT log.user_nid AS userNid, user_id AS userId, log.position, log.membership = ${membershipCodes.join} AS isJoined
FROM memberships AS members
  CROSS JOIN membership_log AS log USING (user_nid, room_nid)
  CROSS JOIN users USING (user_nid)
WHERE members.room_nid = ? AND members.is_local = 1 ORDER BY log.position`;

function localMemberships(db: Connection, roomNid: number): RoomMembershipChange[] {
  const rows = db.all<Omit<RoomMembershipChange, "isJoined"> & { isJoined: number }>(
    localMembershipsSql,
    roomNid,
  );
  return rows.map((row) => ({ ...row, isJoined: row.isJoined === 1 }));
}

export const appserviceOperations: StoreOperations<AppserviceStore> = {
  begin: write(begin),
  standing: scan((db) =>
    db.all<Omit<AppserviceProgress, "waiting">>(
      `SELECT appservice_id AS appserviceId, up_to AS upTo, last_transaction AS lastTransaction,
         failing_since_ts AS failingSinceTs, last_error AS lastError
       FROM appservices ORDER BY appservice_id`,
    ),
  ),
  keepDirectories: write(({ db }, ids: readonly string[]) => {
    db.run(forgetOthersSql.appservice_rooms, JSON.stringify(ids));
  }),
  step: write(step),
  failed: write(({ db }, appserviceId: string, error: string, nowTs: number) => {
    db.run(
      `UPDATE appservices SET last_error = ?, failing_since_ts = coalesce(failing_since_ts, ?)
       WHERE appservice_id = ?`,
      error,
      nowTs,
      appserviceId,
    );
  }),
  changesBetween: scan(changesBetween),
  localMemberships: scan(localMemberships),
  eventNidsAt: point((db, places: readonly RoomPosition[]) =>
    db
      .all<{ nid: number }>(
        `SELECT event_nid AS nid FROM json_each(?) AS place
           CROSS JOIN events ON room_nid = place.value ->> 'roomNid' AND position = place.value ->> 'position'
         ORDER BY position`,
        JSON.stringify(places),
      )
      .map((row) => row.nid),
  ),
  messagesAt: point((db, positions: readonly number[]) =>
    db.all<AppserviceMessage>(
      `SELECT position, user_id AS userId, device_id AS deviceId, event
       FROM to_device_messages CROSS JOIN users USING (user_nid)
       WHERE position IN (SELECT value FROM json_each(?)) ORDER BY position`,
      JSON.stringify(positions),
    ),
  ),
  setListed: write(({ db }, appserviceId: string, networkId: string, roomNid: number, isListed: boolean) => {
    if (isListed) {
      db.run(
        `INSERT INTO appservice_rooms (appservice_id, network_id, room_nid) VALUES (?, ?, ?)
           ON CONFLICT DO NOTHING`,
        appserviceId,
        networkId,
        roomNid,
      );
    } else {
      db.run(
        "DELETE FROM appservice_rooms WHERE appservice_id = ? AND network_id = ? AND room_nid = ?",
        appserviceId,
        networkId,
        roomNid,
      );
    }
  }),
};
