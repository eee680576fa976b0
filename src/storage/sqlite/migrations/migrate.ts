import { openConnection } from "../engine/connection.ts";
import { initial } from "./0001-initial/index.ts";

/** Statements that take the schema from the version before to this one. Released migrations are never changed. */
export interface Migration {
  readonly version: number;
  readonly sql: string;
}

const migrations: readonly Migration[] = [initial];

/** The schema version that this program writes. */
export const schemaVersion = migrations.length;

/** The database was written by a newer program: opening it could damage it. */
export class NewerDatabaseError extends Error {
  constructor(found: number) {
    super(
      `the database has schema version ${found}, and this version of Hearth knows ${schemaVersion} at most`,
    );
    this.name = "NewerDatabaseError";
  }
}

/**
 * Brings a database file to the newest schema, each migration in a transaction of its own.
 * @throws NewerDatabaseError when the file is ahead of this program.
 */
export function migrate(file: string): void {
  const db = openConnection(file, { readonly: false, cacheKib: 8 * 1024 });
  try {
    const found = Number(db.pragma("user_version"));
    if (found > schemaVersion) throw new NewerDatabaseError(found);
    for (const migration of migrations.slice(found)) {
      db.execute(`BEGIN IMMEDIATE; ${migration.sql}; PRAGMA user_version = ${migration.version}; COMMIT`);
    }
  } finally {
    db.close();
  }
}
