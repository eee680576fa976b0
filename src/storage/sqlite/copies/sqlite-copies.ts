import { statSync } from "node:fs";
import { join } from "node:path";
import BetterSqlite3 from "better-sqlite3";
import type { BlobReference, DatabaseContents, DatabaseCopies } from "../../database-copies.ts";
import { type Connection, openConnection } from "../engine/connection.ts";
import { migrate, NewerDatabaseError, schemaVersion } from "../migrations/migrate.ts";
import { databaseCompanions, databaseFile } from "../open.ts";
import { isReferenced } from "../stores/blob-references.ts";
import { copyOnline, orDiskFull } from "./online-copy.ts";
import { markRestored } from "./restored-marks.ts";

const cacheKib = 16 * 1024;
const maxProblems = 100;

/** An empty virtual table, or one that is an index, has nothing of its own to be counted. */
const tablesSql = `SELECT name FROM sqlite_schema
  WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name`;
const blobsSql = `SELECT sha256, max(size_bytes) AS sizeBytes FROM (
    SELECT sha256, size_bytes FROM media WHERE sha256 IS NOT NULL
    UNION ALL SELECT sha256, size_bytes FROM remote_media
    UNION ALL SELECT sha256, size_bytes FROM thumbnails)
  GROUP BY sha256 ORDER BY sha256`;

/** SQLite's databases as files. */
export const sqliteCopies: DatabaseCopies = {
  schemaVersion,
  fileName: databaseFile,
  companions: databaseCompanions,
  sizeBytes(dataFolder) {
    const file = join(dataFolder, databaseFile);
    if (!statSync(file, { throwIfNoEntry: false })) return undefined;
    return reading(file, (db) => Number(db.pragma("page_count")) * Number(db.pragma("page_size")));
  },
  isInUse(dataFolder) {
    using lock = lockExclusively(join(dataFolder, databaseFile), "wal");
    return lock === undefined;
  },
  copy: (dataFolder, target, pace) => copyOnline(join(dataFolder, databaseFile), target, pace),
  contents: (file) => reading(file, contentsOf),
  problems: (file) =>
    reading(file, (db) => {
      const rows = db.all<{ integrity_check: string }>(`PRAGMA integrity_check(${maxProblems})`);
      return rows.map((row) => row.integrity_check).filter((text) => text !== "ok");
    }),
  *blobs(file) {
    const db = openConnection(file, { readonly: true, cacheKib });
    try {
      yield* db.iterate<BlobReference>(blobsSql);
    } finally {
      db.close();
    }
  },
  referenced: (dataFolder, sha256s) =>
    reading(join(dataFolder, databaseFile), (db) => sha256s.filter((sha256) => isReferenced(db, sha256))),
  makeServable(file) {
    try {
      migrate(file);
      const db = openConnection(file, { readonly: false, cacheKib });
      try {
        markRestored(db);
      } finally {
        db.close();
      }
    } catch (error) {
      if (error instanceof NewerDatabaseError) throw error;
      throw orDiskFull(error);
    }
  },
  lock: (file) => lockExclusively(file, "delete"),
};

function reading<Result>(file: string, read: (db: Connection) => Result): Result {
  const db = openConnection(file, { readonly: true, cacheKib });
  try {
    return read(db);
  } finally {
    db.close();
  }
}

function contentsOf(db: Connection): DatabaseContents {
  const names = db.all<{ name: string }>(tablesSql).map(({ name }) => name);
  const count = (name: string) =>
    db.get<{ rows: number }>(`SELECT count(*) AS rows FROM "${name}"`)?.rows ?? 0;
  return {
    schemaVersion: Number(db.pragma("user_version")),
    rows: Object.fromEntries(names.map((name) => [name, count(name)])),
  };
}

/** The operating system ends the lock with the process, however that ends. */
function lockExclusively(file: string, journalMode: "wal" | "delete"): Disposable | undefined {
  const db = new BetterSqlite3(file, { timeout: 0 });
  try {
    db.pragma("locking_mode = exclusive");
    if (journalMode === "delete") db.pragma("journal_mode = memory");
    db.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    db.close();
    if (error instanceof BetterSqlite3.SqliteError && error.code === "SQLITE_BUSY") return undefined;
    throw error;
  }
  return {
    [Symbol.dispose]() {
      db.exec("ROLLBACK");
      db.close();
    },
  };
}
