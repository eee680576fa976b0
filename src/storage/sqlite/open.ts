import { join } from "node:path";
import type { CommitObservation } from "../../telemetry/observations.ts";
import type { Database, Stores } from "../database.ts";
import type { CommitListener, FaultListener } from "../streams.ts";
import { Engine } from "./engine/engine.ts";
import { bindStore, type StoreOperations } from "./engine/operations.ts";
import { migrate } from "./migrations/migrate.ts";
import { SqliteSearchIndex } from "./search/sqlite-search-index.ts";
import { stores } from "./stores/index.ts";

/** What a data folder has of the database. */
export const databaseFile = "hearth.db";
const searchFile = "search.db";
/** What belongs to that very file: the search index is made anew where there is none. */
export const databaseCompanions: readonly string[] = [
  ...[databaseFile, searchFile].flatMap((name) => [`${name}-wal`, `${name}-shm`]),
  searchFile,
];

/**
 * Opens (or makes) the database in a folder and brings its schema up to date.
 * @param onCommit is told the position that the stream stands at before this returns, then every commit.
 * @throws NewerDatabaseError
 */
export async function openSqliteDatabase(
  folder: string,
  onCommit: CommitListener,
  onFault: FaultListener,
  observation?: CommitObservation,
): Promise<Database> {
  const file = join(folder, databaseFile);
  migrate(file);
  const engine = new Engine(file, onCommit, onFault, observation);
  const searchIndex = new SqliteSearchIndex(file, join(folder, searchFile), onFault);
  onCommit(await engine.ready, []);
  const bound = Object.entries(stores).map(([name, operations]) => [
    name,
    bindStore(engine, name, operations as StoreOperations<object>),
  ]);
  return {
    stores: Object.fromEntries(bound) as Stores,
    searchIndex,
    lost: engine.lost,
    get waitingWrites() {
      return engine.waitingWrites;
    },
    async [Symbol.asyncDispose]() {
      await searchIndex[Symbol.asyncDispose]();
      await engine.close();
    },
  };
}
