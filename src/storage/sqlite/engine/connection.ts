import BetterSqlite3 from "better-sqlite3";

export type SqlValue = string | number | bigint | Buffer | Uint8Array | null;

export interface OpenOptions {
  readonly readonly: boolean;
  /** Page cache in KiB; the operating system caches the file as well. */
  readonly cacheKib: number;
}

/** A SQLite connection whose statements are prepared once. Rows come as plain objects keyed by column. */
export class Connection {
  readonly #db: BetterSqlite3.Database;
  readonly #statements = new Map<string, BetterSqlite3.Statement>();

  constructor(db: BetterSqlite3.Database) {
    this.#db = db;
  }

  /** The first row, or `undefined`. */
  get<Row>(sql: string, ...params: SqlValue[]): Row | undefined {
    return this.#prepare(sql).get(...bindable(sql, params)) as Row | undefined;
  }

  all<Row>(sql: string, ...params: SqlValue[]): Row[] {
    return this.#prepare(sql).all(...bindable(sql, params)) as Row[];
  }

  /** Rows one by one: for results that are cut short by a condition that SQL cannot say. */
  iterate<Row>(sql: string, ...params: SqlValue[]): IterableIterator<Row> {
    return this.#prepare(sql).iterate(...bindable(sql, params)) as IterableIterator<Row>;
  }

  /** Runs a statement that changes rows; returns how many. */
  run(sql: string, ...params: SqlValue[]): number {
    return this.#prepare(sql).run(...bindable(sql, params)).changes;
  }

  /** Inserts one row and returns its integer key. */
  insert(sql: string, ...params: SqlValue[]): number {
    return Number(this.#prepare(sql).run(...bindable(sql, params)).lastInsertRowid);
  }

  /** Runs statements that are not worth keeping prepared: schema changes and pragmas. */
  execute(sql: string): void {
    this.#db.exec(sql);
  }

  get inTransaction(): boolean {
    return this.#db.inTransaction;
  }

  pragma(text: string): unknown {
    return this.#db.pragma(text, { simple: true });
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #prepare(sql: string): BetterSqlite3.Statement {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#db.prepare(withLastingPlan(sql));
    this.#statements.set(sql, statement);
    return statement;
  }
}

/**
 * SQLite plans a statement anew whenever a parameter is bound that its planner has looked at, be it in a LIMIT or where
 * another index is thought of: 5 to 30 µs each time, for a plan that never changes. What stands in a function it does
 * not look at, and `likely` returns its argument without any code of its own.
 */
function withLastingPlan(sql: string): string {
  return sql.replaceAll(/\?\d*/g, "likely($&)");
}

/** The driver takes numbered parameters (?1) for named ones, and wants them as one object. */
function bindable(sql: string, params: SqlValue[]): (SqlValue | Record<string, SqlValue>)[] {
  if (!sql.includes("?1")) return params;
  return [Object.fromEntries(params.map((value, index) => [index + 1, value]))];
}

/** So long a connection waits for another process, such as one that makes an account. */
export const busyTimeoutMs = 5_000;
/** A log that had to grow beyond this, as during a backup, gives the room back when it begins anew. */
const maxIdleLogBytes = 128 * 1024 * 1024;

/** Opens a database file. Readers and the writer share one file in WAL mode; the writer syncs each commit to disk. */
export function openConnection(file: string, options: OpenOptions): Connection {
  const db = new BetterSqlite3(file, { readonly: options.readonly, timeout: busyTimeoutMs });
  db.pragma(`cache_size = -${options.cacheKib}`);
  db.pragma("temp_store = memory");
  db.pragma("foreign_keys = off");
  if (!options.readonly) {
    db.pragma("journal_mode = wal");
    db.pragma("synchronous = full");
    // The maintenance worker checkpoints, so that no commit waits for one.
    db.pragma("wal_autocheckpoint = 0");
    db.pragma(`journal_size_limit = ${maxIdleLogBytes}`);
  }
  return new Connection(db);
}
