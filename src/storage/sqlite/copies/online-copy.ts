import { chmodSync, existsSync } from "node:fs";
import BetterSqlite3 from "better-sqlite3";
import { StorageError } from "../../errors.ts";
import type { CopyPace } from "../../database-copies.ts";
import { outcomeOfError } from "../engine/messages.ts";

/** One step of copying: a thousandth of a second of work. */
const stepPages = 256;

/**
 * Copies a database that others may write to. One reading transaction lasts from the first page to the last: without it
 * every commit of another process would have the copy begin again.
 * @throws StorageError "disk-full"
 */
export async function copyOnline(file: string, target: string, pace: CopyPace): Promise<void> {
  const source = new BetterSqlite3(file, { readonly: true, fileMustExist: true });
  try {
    const pageBytes = Number(source.pragma("page_size", { simple: true }));
    source.exec("BEGIN");
    // A transaction sees what was there at its first read.
    source.pragma("schema_version");
    await source.backup(target, {
      progress({ totalPages, remainingPages }) {
        pause(pace((totalPages - remainingPages) * pageBytes, totalPages * pageBytes));
        return stepPages;
      },
    });
  } catch (error) {
    throw orDiskFull(error);
  } finally {
    source.close();
  }
  beOneFile(target);
  // It has everybody's secrets.
  chmodSync(target, 0o600);
}

/** The driver goes from step to step by itself, so nothing but standing still slows it down. */
function pause(ms: number): void {
  if (ms > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** A copy has no write-ahead log: it can be read from a disk that cannot be written. */
function beOneFile(file: string): void {
  const db = new BetterSqlite3(file);
  try {
    db.pragma("journal_mode = delete");
  } finally {
    db.close();
  }
  if (existsSync(`${file}-wal`)) throw new StorageError("failed", `${file} kept its write-ahead log`);
}

/** SQLite's error, or that of this program for a full disk. */
export function orDiskFull(error: unknown): unknown {
  const outcome = outcomeOfError(error);
  if (!("failure" in outcome) || outcome.failure !== "disk-full") return error;
  return new StorageError("disk-full", outcome.message, { cause: error });
}
