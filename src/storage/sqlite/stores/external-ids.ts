import type { ExternalId, ExternalIdStore } from "../../external-ids.ts";
import type { Connection } from "../engine/connection.ts";
import { point, type StoreOperations, write } from "../engine/operations.ts";

export function externalIdOwner(db: Connection, { providerId, externalId }: ExternalId): number | undefined {
  return db.get<{ userNid: number }>(
    "SELECT user_nid AS userNid FROM user_external_ids WHERE provider_id = ? AND external_id = ?",
    providerId,
    externalId,
  )?.userNid;
}

/** False when it is somebody's already. */
export function linkExternalId(db: Connection, userNid: number, id: ExternalId, nowTs: number): boolean {
  const { providerId, externalId } = id;
  const inserted = db.run(
    `INSERT INTO user_external_ids (provider_id, external_id, user_nid, created_ts) VALUES (?, ?, ?, ?)
    ON CONFLICT DO NOTHING`,
    providerId,
    externalId,
    userNid,
    nowTs,
  );
  return inserted > 0;
}

export const externalIdOperations: StoreOperations<ExternalIdStore> = {
  find: point(externalIdOwner),
  list: point((db, userNid: number) =>
    db.all<ExternalId>(
      `SELECT provider_id AS providerId, external_id AS externalId FROM user_external_ids
      WHERE user_nid = ? ORDER BY provider_id, external_id`,
      userNid,
    ),
  ),
  link: write(({ db }, userNid: number, id: ExternalId, nowTs: number) =>
    linkExternalId(db, userNid, id, nowTs),
  ),
  replace: write(({ db }, userNid: number, ids: readonly ExternalId[], nowTs: number) => {
    const owners = ids.map((id) => externalIdOwner(db, id));
    if (owners.some((owner) => owner !== undefined && owner !== userNid)) return false;
    db.run("DELETE FROM user_external_ids WHERE user_nid = ?", userNid);
    for (const id of ids) linkExternalId(db, userNid, id, nowTs);
    return true;
  }),
};
