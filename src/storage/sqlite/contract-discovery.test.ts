import { mkdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { reportStoreContract } from "../contract/reports.ts";
import { roomNamesStoreContract } from "../contract/room-names.ts";
import { roomSummaryStoreContract } from "../contract/room-summaries.ts";
import { userDirectoryStoreContract } from "../contract/user-directory.ts";
import type { Database } from "../database.ts";
import { openSqliteDatabase } from "./open.ts";

function failOnFault(error: unknown): never {
  throw error;
}

const folder = t.testdir();
let opened = 0;

/** Each test has a database of its own. */
function open(): Promise<Database> {
  opened += 1;
  const own = join(folder, String(opened));
  mkdirSync(own);
  return openSqliteDatabase(own, () => undefined, failOnFault);
}

roomSummaryStoreContract(t, open);
roomNamesStoreContract(t, open);
userDirectoryStoreContract(t, open);
reportStoreContract(t, open);
