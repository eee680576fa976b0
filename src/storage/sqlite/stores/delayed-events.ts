import {
  type DelayedEvent,
  type DelayedEventEnd,
  type DelayedEventQuery,
  type DelayedEventStore,
  keptFinalised,
  type NewDelayedEvent,
  type ScheduleOutcome,
} from "../../delayed-events.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";

const columns = `delay_nid AS delayNid, delay_id AS delayId, user_nid AS userNid, device_id AS deviceId,
  request_key AS requestKey, room_id AS roomId, type, state_key AS stateKey, content,
  sticky_duration_ms AS stickyDurationMs, origin_server_ts AS originServerTs, is_unlimited AS isUnlimited,
  delay_ms AS delayMs, scheduled_ts AS scheduledTs, send_ts AS sendTs,
  finalised_ts AS finalisedTs, event_id AS eventId, error`;

const findSql = `SELECT ${columns} FROM delayed_events WHERE delay_id = ?`;
const dueSql = `SELECT ${columns} FROM delayed_events
  WHERE finalised_ts IS NULL AND send_ts <= ? ORDER BY send_ts, delay_nid LIMIT ?`;
const statusSql = `CASE WHEN finalised_ts IS NULL THEN 'scheduled' WHEN event_id IS NOT NULL THEN 'sent'
  WHEN error IS NOT NULL THEN 'failed' ELSE 'cancelled' END`;
const listedSql = `SELECT ${columns} FROM delayed_events
  WHERE user_nid = ?1 AND send_ts BETWEEN ?2 AND ?3 AND (?4 IS NULL OR room_id = ?4) AND (?5 IS NULL OR type = ?5)
    AND (?6 IS NULL OR ${statusSql} = ?6)`;
const forwardsSql = `${listedSql} AND (?7 IS NULL OR (send_ts, delay_nid) > (?7, ?8))
  ORDER BY send_ts, delay_nid LIMIT ?9`;
const backwardsSql = `${listedSql} AND (?7 IS NULL OR (send_ts, delay_nid) < (?7, ?8))
  ORDER BY send_ts DESC, delay_nid DESC LIMIT ?9`;

/** Each new event takes so many away that have ended long ago: more than it adds, so that they never pile up. */
const forgottenAtOnce = 4;
const forgetOldSql = `DELETE FROM delayed_events WHERE delay_nid IN (
  SELECT delay_nid FROM delayed_events WHERE finalised_ts < ? ORDER BY finalised_ts LIMIT ${forgottenAtOnce})`;
const forgetSurplusSql = `DELETE FROM delayed_events WHERE delay_nid IN (
  SELECT delay_nid FROM delayed_events WHERE user_nid = ? AND finalised_ts IS NOT NULL
  ORDER BY finalised_ts DESC LIMIT -1 OFFSET ${keptFinalised.perUser})`;

export const delayedEventOperations: StoreOperations<DelayedEventStore> = {
  schedule: write(schedule),
  find: point((db, delayId: string) => db.get<DelayedEvent>(findSql, delayId)),
  restart: write(
    ({ db }, delayId: string, nowTs: number) =>
      db.run(
        `UPDATE delayed_events SET scheduled_ts = ?1, send_ts = ?1 + delay_ms
         WHERE delay_id = ?2 AND finalised_ts IS NULL`,
        nowTs,
        delayId,
      ) > 0,
  ),
  finalise: write(({ db }, delayId: string, end: DelayedEventEnd) => finaliseDelayedEvent(db, delayId, end)),
  due: point((db, nowTs: number, limit: number) => db.all<DelayedEvent>(dueSql, nowTs, limit)),
  nextTs: point(
    (db, afterTs: number) =>
      db.get<{ nextTs: number | null }>(
        "SELECT min(send_ts) AS nextTs FROM delayed_events WHERE finalised_ts IS NULL AND send_ts > ?",
        afterTs,
      )?.nextTs ?? undefined,
  ),
  list: scan(list),
};

function schedule({ db }: WriteTransaction, event: NewDelayedEvent, maxScheduled: number): ScheduleOutcome {
  const { userNid, deviceId, requestKey, scheduledTs, delayMs } = event;
  const repeated = db.get<{ delayId: string }>(
    "SELECT delay_id AS delayId FROM delayed_events WHERE user_nid = ? AND device_id = ? AND request_key = ?",
    userNid,
    deviceId,
    requestKey,
  );
  if (repeated) return { scheduled: true, delayId: repeated.delayId };
  const { count, nextTs } = db.get<{ count: number; nextTs: number | null }>(
    `SELECT count(*) AS count, min(send_ts) AS nextTs FROM delayed_events
     WHERE user_nid = ? AND finalised_ts IS NULL`,
    userNid,
  ) ?? { count: 0, nextTs: null };
  if (count >= maxScheduled) return { scheduled: false, nextTs: nextTs ?? scheduledTs };
  db.run(forgetOldSql, scheduledTs - keptFinalised.lifetimeMs);
  db.run(forgetSurplusSql, userNid);
  db.run(
    `INSERT INTO delayed_events (delay_id, user_nid, device_id, request_key, room_id, type, state_key, content,
       sticky_duration_ms, origin_server_ts, is_unlimited, delay_ms, scheduled_ts, send_ts)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    event.delayId,
    userNid,
    deviceId,
    requestKey,
    event.roomId,
    event.type,
    event.stateKey,
    event.content,
    event.stickyDurationMs,
    event.originServerTs,
    event.isUnlimited,
    delayMs,
    scheduledTs,
    scheduledTs + delayMs,
  );
  return { scheduled: true, delayId: event.delayId };
}

/** Part of the transaction that stores the event, where one comes of it. */
export function finaliseDelayedEvent(db: Connection, delayId: string, end: DelayedEventEnd): boolean {
  const changed = db.run(
    `UPDATE delayed_events SET finalised_ts = ?, event_id = ?, error = ?
     WHERE delay_id = ? AND finalised_ts IS NULL`,
    end.finalisedTs,
    end.eventId,
    end.error,
    delayId,
  );
  return changed > 0;
}

function list(db: Connection, query: DelayedEventQuery): DelayedEvent[] {
  const { userNid, fromTs, toTs, roomId, type, status, after } = query;
  return db.all<DelayedEvent>(
    query.backwards ? backwardsSql : forwardsSql,
    userNid,
    fromTs,
    toTs,
    roomId ?? null,
    type ?? null,
    status ?? null,
    after?.sendTs ?? null,
    after?.delayNid ?? null,
    query.limit,
  );
}
