import type { PreviewBounds, StoredPreview, UrlPreviewStore } from "../../url-previews.ts";
import type { Connection } from "../engine/connection.ts";
import { point, type StoreOperations, write } from "../engine/operations.ts";

function put(db: Connection, key: string, preview: StoredPreview): void {
  db.run(
    `INSERT OR REPLACE INTO url_previews (key, fetched_ts, fresh_until_ts, properties, picture_id, picture_bytes)
    VALUES (?, ?, ?, ?, ?, ?)`,
    key,
    preview.fetchedTs,
    preview.freshUntilTs,
    preview.properties,
    preview.pictureId,
    preview.pictureBytes,
  );
}

function trim(db: Connection, { fetchedSinceTs, maxPreviews, maxPictureBytes }: PreviewBounds): string[] {
  const beyond = db.get<{ ts: number | null }>(
    `SELECT max(fetched_ts) AS ts FROM (
      SELECT fetched_ts, row_number() OVER newest AS place, sum(picture_bytes) OVER newest AS bytes
      FROM url_previews WINDOW newest AS (ORDER BY fetched_ts DESC ROWS UNBOUNDED PRECEDING)
    ) WHERE place > ? OR bytes > ?`,
    maxPreviews,
    maxPictureBytes,
  );
  const upToTs = Math.max(fetchedSinceTs - 1, beyond?.ts ?? 0);
  const rows = db.all<{ pictureId: string }>(
    "SELECT picture_id AS pictureId FROM url_previews WHERE fetched_ts <= ? AND picture_id IS NOT NULL",
    upToTs,
  );
  db.run("DELETE FROM url_previews WHERE fetched_ts <= ?", upToTs);
  return rows.map(({ pictureId }) => pictureId);
}

export const urlPreviewOperations: StoreOperations<UrlPreviewStore> = {
  find: point((db, key: string, atTs: number) =>
    db.get<StoredPreview>(
      `SELECT fetched_ts AS fetchedTs, fresh_until_ts AS freshUntilTs, properties, picture_id AS pictureId,
        picture_bytes AS pictureBytes
      FROM url_previews WHERE key = ? AND fetched_ts <= ? ORDER BY fetched_ts DESC LIMIT 1`,
      key,
      atTs,
    ),
  ),
  put: write(({ db }, key: string, preview: StoredPreview) => put(db, key, preview)),
  trim: write(({ db }, bounds: PreviewBounds) => trim(db, bounds)),
};
