import { join } from "node:path";
import BetterSqlite3 from "better-sqlite3";

/** What SQLite finds wrong with the database in a data folder that no server uses. */
export function databaseProblems(dataFolder: string): unknown[] {
  const db = new BetterSqlite3(join(dataFolder, "hearth.db"), { readonly: true });
  try {
    const rows = db.prepare<[], { integrity_check: string }>("PRAGMA integrity_check").all();
    return rows.map((row) => row.integrity_check).filter((text) => text !== "ok");
  } finally {
    db.close();
  }
}
