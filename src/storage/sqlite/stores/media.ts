import type {
  CompletedUpload,
  InsertedUpload,
  MediaContent,
  MediaRecord,
  MediaStore,
  NewMedia,
  Thumbnail,
} from "../../media.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write } from "../engine/operations.ts";
import { isFile, isQuarantined, isReferenced, releaseFile, setBytesQuarantined } from "./blob-references.ts";

interface MediaRow {
  readonly mediaId: string;
  readonly userNid: number | null;
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

function bytesOf(db: Connection, userNid: number): number {
  const total = db.get<{ bytes: number }>(
    "SELECT coalesce(sum(size_bytes), 0) AS bytes FROM media WHERE user_nid = ? AND expires_ts IS NULL",
    userNid,
  );
  return total?.bytes ?? 0;
}

function isOverQuota(
  db: Connection,
  userNid: number | null,
  { sizeBytes }: MediaContent,
  maxBytes: number | null,
): boolean {
  return userNid !== null && maxBytes !== null && bytesOf(db, userNid) + sizeBytes > maxBytes;
}

function insert(db: Connection, media: NewMedia, maxBytesOfUser: number | null): InsertedUpload {
  const { mediaId, userNid, createdTs, content, expiresTs } = media;
  if (isOverQuota(db, userNid, content, maxBytesOfUser)) return "over-quota";
  db.run(
    `INSERT INTO media (media_id, user_nid, created_ts, sha256, size_bytes, content_type, filename, expires_ts, quarantined)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    mediaId,
    userNid,
    createdTs,
    content.sha256,
    content.sizeBytes,
    content.contentType,
    content.filename,
    expiresTs,
    Number(isQuarantined(db, content.sha256)),
  );
  return "stored";
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

function complete(
  db: Connection,
  mediaId: string,
  content: MediaContent,
  nowTs: number,
  maxBytesOfUser: number | null,
): CompletedUpload {
  const place = db.get<{ userNid: number; sha256: string | null; expiresTs: number | null }>(
    "SELECT user_nid AS userNid, sha256, expires_ts AS expiresTs FROM media WHERE media_id = ?",
    mediaId,
  );
  if (place && place.sha256 !== null) return "has-content";
  if (!place || (place.expiresTs ?? 0) <= nowTs) return "unknown";
  if (isOverQuota(db, place.userNid, content, maxBytesOfUser)) return "over-quota";
  db.run(
    `UPDATE media SET created_ts = ?, sha256 = ?, size_bytes = ?, content_type = ?, filename = ?, expires_ts = NULL,
      quarantined = ?
    WHERE media_id = ?`,
    nowTs,
    content.sha256,
    content.sizeBytes,
    content.contentType,
    content.filename,
    Number(isQuarantined(db, content.sha256)),
    mediaId,
  );
  return "completed";
}

/** With all equal files: who uploads the same bytes again does not bring them back. */
function setQuarantined(db: Connection, mediaId: string, quarantined: boolean): void {
  db.run("UPDATE media SET quarantined = ? WHERE media_id = ?", Number(quarantined), mediaId);
  const row = db.get<{ sha256: string | null }>("SELECT sha256 FROM media WHERE media_id = ?", mediaId);
  if (row?.sha256) setBytesQuarantined(db, row.sha256, quarantined);
}

/** Avatars are looked at without being asked for: clients keep them. */
function listUnused(db: Connection, sinceTs: number, uriPrefix: string, limit: number): string[] {
  const rows = db.all<{ mediaId: string }>(
    `SELECT media_id AS mediaId FROM media
    WHERE sha256 IS NOT NULL AND coalesce(last_access_ts, created_ts) < ?
      AND user_nid IS NOT NULL AND quarantined = 0
      AND ? || media_id NOT IN (
        SELECT json_extract(value, '$') FROM profile_fields WHERE name = 'avatar_url' AND json_type(value) = 'text'
        UNION ALL SELECT avatar_url FROM room_summaries WHERE avatar_url IS NOT NULL
      )
    LIMIT ?`,
    sinceTs,
    uriPrefix,
    limit,
  );
  return rows.map(({ mediaId }) => mediaId);
}

/** Returns the blobs that may have lost their last reference. */
function removeOne(db: Connection, mediaId: string): string[] {
  const row = db.get<{ sha256: string | null }>("SELECT sha256 FROM media WHERE media_id = ?", mediaId);
  db.run("DELETE FROM media WHERE media_id = ?", mediaId);
  return row?.sha256 ? releaseFile(db, row.sha256) : [];
}

function remove(db: Connection, mediaIds: readonly string[]): string[] {
  const candidates = new Set(mediaIds.flatMap((mediaId) => removeOne(db, mediaId)));
  return [...candidates].filter((sha256) => !isReferenced(db, sha256));
}

function putThumbnail(
  db: Connection,
  sourceSha256: string,
  variant: string,
  { sha256, sizeBytes, contentType }: Thumbnail,
): boolean {
  if (!isFile(db, sourceSha256)) return false;
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
  insert: write(({ db }, media: NewMedia, maxBytesOfUser: number | null) =>
    insert(db, media, maxBytesOfUser),
  ),
  reserve: write(
    ({ db }, mediaId: string, userNid: number, createdTs: number, expiresTs: number, maxPending: number) =>
      reserve(db, mediaId, userNid, createdTs, expiresTs, maxPending),
  ),
  complete: write(
    ({ db }, mediaId: string, content: MediaContent, nowTs: number, maxBytesOfUser: number | null) =>
      complete(db, mediaId, content, nowTs, maxBytesOfUser),
  ),
  bytesOf: scan(bytesOf),
  setQuarantined: write(({ db }, mediaId: string, quarantined: boolean) =>
    setQuarantined(db, mediaId, quarantined),
  ),
  touch: write(({ db }, mediaIds: readonly string[], accessTs: number) => {
    for (const mediaId of mediaIds) {
      db.run("UPDATE media SET last_access_ts = ? WHERE media_id = ?", accessTs, mediaId);
    }
  }),
  remove: write(({ db }, mediaIds: readonly string[]) => remove(db, mediaIds)),
  listExpired: scan((db, nowTs: number, limit: number) =>
    db
      .all<{ mediaId: string }>(
        "SELECT media_id AS mediaId FROM media WHERE expires_ts IS NOT NULL AND expires_ts <= ? LIMIT ?",
        nowTs,
        limit,
      )
      .map(({ mediaId }) => mediaId),
  ),
  listUnused: scan(listUnused),
  listOfErasedUsers: scan((db, limit: number) =>
    db
      .all<{ mediaId: string }>(
        `SELECT media_id AS mediaId FROM media
        WHERE user_nid IN (SELECT user_nid FROM accounts WHERE is_erased = 1) LIMIT ?`,
        limit,
      )
      .map(({ mediaId }) => mediaId),
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
