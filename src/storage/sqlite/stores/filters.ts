import type { FilterStore } from "../../filters.ts";
import type { Connection } from "../engine/connection.ts";
import { point, type StoreOperations, write } from "../engine/operations.ts";

function put(
  db: Connection,
  userNid: number,
  filterId: string,
  definition: string,
  storedTs: number,
  maxFilters: number,
): void {
  db.run(
    `INSERT INTO filters (user_nid, filter_id, definition, stored_ts) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET definition = excluded.definition, stored_ts = excluded.stored_ts`,
    userNid,
    filterId,
    definition,
    storedTs,
  );
  db.run(
    `DELETE FROM filters WHERE user_nid = ?1 AND filter_id IN (
      SELECT filter_id FROM filters WHERE user_nid = ?1 AND filter_id <> ?2
      ORDER BY stored_ts DESC, filter_id LIMIT -1 OFFSET ?3
    )`,
    userNid,
    filterId,
    maxFilters - 1,
  );
}

export const filterOperations: StoreOperations<FilterStore> = {
  find: point(
    (db, userNid: number, filterId: string) =>
      db.get<{ definition: string }>(
        "SELECT definition FROM filters WHERE user_nid = ? AND filter_id = ?",
        userNid,
        filterId,
      )?.definition,
  ),
  put: write(
    ({ db }, userNid: number, filterId: string, definition: string, storedTs: number, maxFilters: number) =>
      put(db, userNid, filterId, definition, storedTs, maxFilters),
  ),
};
