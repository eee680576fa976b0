import type { MediaContent } from "../../media.ts";
import type {
  RemoteMediaId,
  RemoteMediaRecord,
  RemoteMediaStore,
  RemoteMediaUse,
} from "../../remote-media.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write } from "../engine/operations.ts";
import { isQuarantined, isReferenced, releaseFile, setBytesQuarantined } from "./blob-references.ts";

function find(db: Connection, { serverName, mediaId }: RemoteMediaId): RemoteMediaRecord | undefined {
  const row = db.get<MediaContent & { fetchedTs: number; quarantined: number }>(
    `SELECT sha256, size_bytes AS sizeBytes, content_type AS contentType, filename, fetched_ts AS fetchedTs, quarantined
    FROM remote_media WHERE server_name = ? AND media_id = ?`,
    serverName,
    mediaId,
  );
  if (!row) return undefined;
  const { fetchedTs, quarantined, ...content } = row;
  return { content, fetchedTs, quarantined: quarantined === 1 };
}

function put(
  db: Connection,
  { serverName, mediaId }: RemoteMediaId,
  content: MediaContent,
  fetchedTs: number,
): RemoteMediaRecord {
  const quarantined = isQuarantined(db, content.sha256);
  db.run(
    `INSERT OR REPLACE INTO remote_media
      (server_name, media_id, sha256, size_bytes, content_type, filename, fetched_ts, last_access_ts, quarantined)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    serverName,
    mediaId,
    content.sha256,
    content.sizeBytes,
    content.contentType,
    content.filename,
    fetchedTs,
    fetchedTs,
    Number(quarantined),
  );
  return { content, fetchedTs, quarantined };
}

function remove(db: Connection, ids: readonly RemoteMediaId[]): string[] {
  const candidates = new Set<string>();
  for (const { serverName, mediaId } of ids) {
    const row = db.get<{ sha256: string }>(
      "SELECT sha256 FROM remote_media WHERE server_name = ? AND media_id = ?",
      serverName,
      mediaId,
    );
    if (!row) continue;
    db.run("DELETE FROM remote_media WHERE server_name = ? AND media_id = ?", serverName, mediaId);
    for (const sha256 of releaseFile(db, row.sha256)) candidates.add(sha256);
  }
  return [...candidates].filter((sha256) => !isReferenced(db, sha256));
}

/** A small picture is its own thumbnail, and takes no room twice. */
function totalBytes(db: Connection): number {
  const total = db.get<{ bytes: number }>(
    `SELECT coalesce((SELECT sum(size_bytes) FROM remote_media), 0) + coalesce((
      SELECT sum(size_bytes) FROM thumbnails
      WHERE sha256 <> source_sha256 AND source_sha256 IN (SELECT sha256 FROM remote_media)
    ), 0) AS bytes`,
  );
  return total?.bytes ?? 0;
}

export const remoteMediaOperations: StoreOperations<RemoteMediaStore> = {
  find: point(find),
  put: write(({ db }, id: RemoteMediaId, content: MediaContent, fetchedTs: number) =>
    put(db, id, content, fetchedTs),
  ),
  touch: write(({ db }, ids: readonly RemoteMediaId[], accessTs: number) => {
    for (const { serverName, mediaId } of ids) {
      db.run(
        "UPDATE remote_media SET last_access_ts = ? WHERE server_name = ? AND media_id = ?",
        accessTs,
        serverName,
        mediaId,
      );
    }
  }),
  setQuarantined: write(({ db }, id: RemoteMediaId, quarantined: boolean) => {
    const record = find(db, id);
    if (record) setBytesQuarantined(db, record.content.sha256, quarantined);
  }),
  remove: write(({ db }, ids: readonly RemoteMediaId[]) => remove(db, ids)),
  totalBytes: scan(totalBytes),
  listUnused: scan((db, sinceTs: number, limit: number) =>
    db.all<RemoteMediaUse>(
      `SELECT server_name AS serverName, media_id AS mediaId, size_bytes AS sizeBytes FROM remote_media
      WHERE quarantined = 0 AND last_access_ts < ? ORDER BY last_access_ts LIMIT ?`,
      sinceTs,
      limit,
    ),
  ),
};
