import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Database } from "../../database.ts";
import { openSqliteDatabase } from "../open.ts";

function failOnFault(error: unknown): never {
  throw error;
}

/** Opens a new database at each call, below a folder: each test of a contract has one of its own. */
export function freshDatabases(folder: string): () => Promise<Database> {
  let opened = 0;
  return () => {
    opened += 1;
    const own = join(folder, String(opened));
    mkdirSync(own);
    return openSqliteDatabase(own, () => undefined, failOnFault);
  };
}
