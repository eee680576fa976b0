import type { Delivery, DeliveryStore, NewDelivery } from "../../deliveries.ts";
import type { Connection } from "../engine/connection.ts";
import { point, type StoreOperations, write } from "../engine/operations.ts";

/** Hours of work for a mail server; a queue as long as this is not going to be worked off. */
const maxWaiting = 10_000;

type DeliveryRow = Omit<Delivery, "values"> & { readonly values: string };

const dueQuery = `SELECT delivery_nid AS deliveryNid, medium, address, kind, language, message_values AS "values", attempts,
  expires_ts AS expiresTs FROM deliveries WHERE due_ts <= ? ORDER BY due_ts, delivery_nid LIMIT ?`;
const nextQuery = "SELECT min(due_ts) AS dueTs FROM deliveries";

/** Also part of the transactions of what sends messages. False when too many wait. */
export function addDelivery(db: Connection, delivery: NewDelivery, nowTs: number): boolean {
  const counted = db.get<{ count: number }>("SELECT count(*) AS count FROM deliveries");
  if ((counted?.count ?? 0) >= maxWaiting) return false;
  const { medium, address, kind, language, values, expiresTs } = delivery;
  db.run(
    `INSERT INTO deliveries (medium, address, kind, language, message_values, due_ts, expires_ts)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
    medium,
    address,
    kind,
    language,
    JSON.stringify(values),
    nowTs,
    expiresTs,
  );
  return true;
}

function due(db: Connection, nowTs: number, limit: number): Delivery[] {
  db.run("DELETE FROM deliveries WHERE due_ts <= ? AND expires_ts <= ?", nowTs, nowTs);
  return db
    .all<DeliveryRow>(dueQuery, nowTs, limit)
    .map((row) => ({ ...row, values: JSON.parse(row.values) as Delivery["values"] }));
}

export const deliveryOperations: StoreOperations<DeliveryStore> = {
  add: write(({ db }, delivery: NewDelivery, nowTs: number) => addDelivery(db, delivery, nowTs)),
  due: write(({ db }, nowTs: number, limit: number) => due(db, nowTs, limit)),
  nextDueTs: point((db) => db.get<{ dueTs: number | null }>(nextQuery)?.dueTs ?? undefined),
  postpone: write(({ db }, deliveryNid: number, dueTs: number) => {
    db.run(
      "UPDATE deliveries SET attempts = attempts + 1, due_ts = ? WHERE delivery_nid = ?",
      dueTs,
      deliveryNid,
    );
  }),
  remove: write(({ db }, deliveryNid: number) => {
    db.run("DELETE FROM deliveries WHERE delivery_nid = ?", deliveryNid);
  }),
};
