import type { Connection } from "../engine/connection.ts";

/** Whether a file, be it an upload or another server's, has these bytes. */
export function isFile(db: Connection, sha256: string): boolean {
  return (
    db.get("SELECT 1 FROM media WHERE sha256 = ?", sha256) !== undefined ||
    db.get("SELECT 1 FROM remote_media WHERE sha256 = ?", sha256) !== undefined
  );
}

/** Whether a file or a thumbnail has these bytes. */
export function isReferenced(db: Connection, sha256: string): boolean {
  return isFile(db, sha256) || db.get("SELECT 1 FROM thumbnails WHERE sha256 = ?", sha256) !== undefined;
}

/**
 * To be called when a file has gone: takes the thumbnails away when it was the last one with its bytes. Returns the blobs
 * that may have lost their last reference.
 */
export function releaseFile(db: Connection, sha256: string): string[] {
  if (isFile(db, sha256)) return [];
  const thumbnails = db.all<{ sha256: string }>(
    "SELECT sha256 FROM thumbnails WHERE source_sha256 = ?",
    sha256,
  );
  db.run("DELETE FROM thumbnails WHERE source_sha256 = ?", sha256);
  return [sha256, ...thumbnails.map((thumbnail) => thumbnail.sha256)];
}

/** Whether files with these bytes are kept from everybody: of all equal ones any one tells. */
export function isQuarantined(db: Connection, sha256: string): boolean {
  return (
    db.get("SELECT 1 FROM media WHERE sha256 = ? AND quarantined = 1", sha256) !== undefined ||
    db.get("SELECT 1 FROM remote_media WHERE sha256 = ? AND quarantined = 1", sha256) !== undefined
  );
}

/** Takes all files with these bytes away from everybody, or gives them back. */
export function setBytesQuarantined(db: Connection, sha256: string, quarantined: boolean): void {
  db.run("UPDATE media SET quarantined = ? WHERE sha256 = ?", Number(quarantined), sha256);
  db.run("UPDATE remote_media SET quarantined = ? WHERE sha256 = ?", Number(quarantined), sha256);
}
