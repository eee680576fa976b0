import type { ChangeDetails, Stream } from "../../streams.ts";
import type { Connection } from "./connection.ts";

/** A write in progress: part of a group commit, undone alone when its operation throws. */
export interface WriteTransaction {
  readonly db: Connection;
  /** The next position of the one stream, for a change that concerns this room or user. */
  position(stream: Stream, nid: number, details?: ChangeDetails): number;
  /** Leaves so many positions free before the next one, for what will be found later and belongs there. */
  leaveRoom(positions: number): void;
}

/**
 * One storage operation: a synchronous function over a connection. Its mode says where it runs:
 * `point` on the caller's thread (a few rows by key), `scan` on a reading worker, `write` on the one writer.
 * Arguments and results of `scan` and `write` cross a thread, so they are plain data.
 */
export type Operation<Args extends unknown[], Result> =
  | { readonly mode: "point" | "scan"; readonly run: (db: Connection, ...args: Args) => Result }
  | { readonly mode: "write"; readonly run: (tx: WriteTransaction, ...args: Args) => Result };

export function point<Args extends unknown[], Result>(
  run: (db: Connection, ...args: Args) => Result,
): Operation<Args, Result> {
  return { mode: "point", run };
}

export function scan<Args extends unknown[], Result>(
  run: (db: Connection, ...args: Args) => Result,
): Operation<Args, Result> {
  return { mode: "scan", run };
}

export function write<Args extends unknown[], Result>(
  run: (tx: WriteTransaction, ...args: Args) => Result,
): Operation<Args, Result> {
  return { mode: "write", run };
}

/** The SQLite operations behind a store's interface, one for each of its methods. */
export type StoreOperations<Store> = {
  readonly [Name in keyof Store]: Store[Name] extends (...args: infer Args) => Promise<infer Result>
    ? Operation<Args, Result>
    : never;
};

/** Operations of all stores by name, as the workers look them up. */
export type OperationTable = Readonly<Record<string, Readonly<Record<string, Operation<never[], unknown>>>>>;

/** Calls an operation wherever it belongs. */
export interface Executor {
  run(store: string, name: string, args: unknown[]): Promise<unknown>;
}

/** Makes a store's interface out of its operations. */
export function bindStore<Store>(
  executor: Executor,
  storeName: string,
  operations: StoreOperations<Store>,
): Store {
  const entries = Object.keys(operations).map((name) => [
    name,
    (...args: unknown[]) => executor.run(storeName, name, args),
  ]);
  return Object.fromEntries(entries) as Store;
}
