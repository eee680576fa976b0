import type { CompletedUpload, MediaContent, MediaRecord, MediaStore, Thumbnail } from "../../media.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write } from "../engine/operations.ts";

interface MediaRow {
  readonly mediaId: string;
  readonly userNid: number;
  readonly createdTs: number;
  readonly sha256: string | null;
  readonly sizeBytes: number;
  readonly contentType: string;
  readonly filename: string | null;
  readonly expiresTs: number | null;
  readonly quarantined: number;
  readonly lastAccessTs: number | null;
}

function recordOf(row: MediaRow | undefined): MediaRecord | undefined {
  if (!row) return undefined;
  const { sha256, sizeBytes, contentType, filename, quarantined, ...others } = row;
  const content = sha256 === null ? null : { sha256, sizeBytes, contentType, filename };
  return { ...others, content, quarantined: quarantined === 1 };
}

function insert(
  db: Connection,
  mediaId: string,
  userNid: number,
  createdTs: number,
  content: MediaContent,
): void {
  db.run(
    `INSERT INTO media (media_id, user_nid, created_ts, sha256, size_bytes, content_type, filename)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
    mediaId,
    userNid,
    createdTs,
    content.sha256,
    content.sizeBytes,
    content.contentType,
    content.filename,
  );
}

function reserve(
  db: Connection,
  mediaId: string,
  userNid: number,
  createdTs: number,
  expiresTs: number,
  maxPending: number,
): boolean {
  const pending = db.get<{ count: number }>(
    "SELECT count(*) AS count FROM media WHERE user_nid = ? AND expires_ts > ?",
    userNid,
    createdTs,
  );
  if ((pending?.count ?? 0) >= maxPending) return false;
  db.run(
    "INSERT INTO media (media_id, user_nid, created_ts, expires_ts) VALUES (?, ?, ?, ?)",
    mediaId,
    userNid,
    createdTs,
    expiresTs,
  );
  return true;
}

function complete(db: Connection, mediaId: string, content: MediaContent): CompletedUpload {
  const completed = db.run(
    `UPDATE media SET sha256 = ?, size_bytes = ?, content_type = ?, filename = ?, expires_ts = NULL
    WHERE media_id = ? AND sha256 IS NULL`,
    content.sha256,
    content.sizeBytes,
    content.contentType,
    content.filename,
    mediaId,
  );
  if (completed > 0) return "completed";
  return db.get("SELECT 1 FROM media WHERE media_id = ?", mediaId) ? "has-content" : "unknown";
}

function isReferenced(db: Connection, sha256: string): boolean {
  return (
    db.get("SELECT 1 FROM media WHERE sha256 = ?", sha256) !== undefined ||
    db.get("SELECT 1 FROM thumbnails WHERE sha256 = ?", sha256) !== undefined
  );
}

function remove(db: Connection, mediaId: string): string[] {
  const row = db.get<{ sha256: string | null }>("SELECT sha256 FROM media WHERE media_id = ?", mediaId);
  db.run("DELETE FROM media WHERE media_id = ?", mediaId);
  const source = row?.sha256;
  if (!source || db.get("SELECT 1 FROM media WHERE sha256 = ?", source)) return [];
  const thumbnails = db.all<{ sha256: string }>(
    "SELECT sha256 FROM thumbnails WHERE source_sha256 = ?",
    source,
  );
  db.run("DELETE FROM thumbnails WHERE source_sha256 = ?", source);
  const candidates = new Set([source, ...thumbnails.map(({ sha256 }) => sha256)]);
  return [...candidates].filter((sha256) => !isReferenced(db, sha256));
}

function putThumbnail(
  db: Connection,
  sourceSha256: string,
  variant: string,
  { sha256, sizeBytes, contentType }: Thumbnail,
): boolean {
  if (!db.get("SELECT 1 FROM media WHERE sha256 = ?", sourceSha256)) return false;
  db.run(
    `INSERT INTO thumbnails (source_sha256, variant, sha256, size_bytes, content_type) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING`,
    sourceSha256,
    variant,
    sha256,
    sizeBytes,
    contentType,
  );
  return true;
}

export const mediaOperations: StoreOperations<MediaStore> = {
  find: point((db, mediaId: string) =>
    recordOf(
      db.get<MediaRow>(
        `SELECT media_id AS mediaId, user_nid AS userNid, created_ts AS createdTs, sha256, size_bytes AS sizeBytes,
          content_type AS contentType, filename, expires_ts AS expiresTs, quarantined, last_access_ts AS lastAccessTs
        FROM media WHERE media_id = ?`,
        mediaId,
      ),
    ),
  ),
  insert: write(({ db }, mediaId: string, userNid: number, createdTs: number, content: MediaContent) =>
    insert(db, mediaId, userNid, createdTs, content),
  ),
  reserve: write(
    ({ db }, mediaId: string, userNid: number, createdTs: number, expiresTs: number, maxPending: number) =>
      reserve(db, mediaId, userNid, createdTs, expiresTs, maxPending),
  ),
  complete: write(({ db }, mediaId: string, content: MediaContent) => complete(db, mediaId, content)),
  bytesOf: scan(
    (db, userNid: number) =>
      db.get<{ bytes: number }>(
        "SELECT coalesce(sum(size_bytes), 0) AS bytes FROM media WHERE user_nid = ? AND expires_ts IS NULL",
        userNid,
      )?.bytes ?? 0,
  ),
  setQuarantined: write(({ db }, mediaId: string, quarantined: boolean) => {
    db.run("UPDATE media SET quarantined = ? WHERE media_id = ?", Number(quarantined), mediaId);
  }),
  touch: write(({ db }, mediaIds: readonly string[], accessTs: number) => {
    for (const mediaId of mediaIds) {
      db.run("UPDATE media SET last_access_ts = ? WHERE media_id = ?", accessTs, mediaId);
    }
  }),
  remove: write(({ db }, mediaId: string) => remove(db, mediaId)),
  removeExpired: write(({ db }, nowTs: number, limit: number) =>
    db.run(
      `DELETE FROM media WHERE media_id IN (
        SELECT media_id FROM media WHERE expires_ts IS NOT NULL AND expires_ts <= ? LIMIT ?
      )`,
      nowTs,
      limit,
    ),
  ),
  findThumbnail: point((db, sourceSha256: string, variant: string) =>
    db.get<Thumbnail>(
      `SELECT sha256, size_bytes AS sizeBytes, content_type AS contentType FROM thumbnails
      WHERE source_sha256 = ? AND variant = ?`,
      sourceSha256,
      variant,
    ),
  ),
  putThumbnail: write(({ db }, sourceSha256: string, variant: string, thumbnail: Thumbnail) =>
    putThumbnail(db, sourceSha256, variant, thumbnail),
  ),
  unreferenced: scan((db, sha256s: readonly string[]) =>
    sha256s.filter((sha256) => !isReferenced(db, sha256)),
  ),
};
