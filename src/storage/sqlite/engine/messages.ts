import type { StreamChange } from "../../streams.ts";
import type { StorageFailure } from "../../errors.ts";

/** An operation to run in a worker: store, operation, arguments. */
export type Call = readonly [store: string, name: string, args: unknown[]];

export type Outcome =
  | { readonly value: unknown }
  | { readonly failure: StorageFailure; readonly message: string };

/**
 * To a worker: the calls of one group commit, or of one reading snapshot; the wish that a reader copies the write-ahead
 * log into the database, or that the writer begins the log anew; or that the worker ends.
 */
export type WorkerRequest = { readonly calls: readonly Call[] } | "checkpoint" | "restart-log" | "close";

/** From the writer, after the commit (or its failure, when every outcome is a failure). */
export interface WriterReply {
  readonly outcomes: readonly Outcome[];
  readonly position: number;
  readonly changes: readonly StreamChange[];
}

/** How long the write-ahead log is, and how much of it is in the database already. */
export interface LogState {
  readonly logPages: number;
  readonly copiedPages: number;
}

/** From a reader; the value of a checkpoint is a `LogState`. */
export interface ReaderReply {
  readonly outcomes: readonly Outcome[];
}

export interface WorkerOptions {
  readonly file: string;
  readonly cacheKib: number;
}

/** Turns what SQLite or an operation threw into plain data. */
export function outcomeOfError(error: unknown): Outcome {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return { failure: code === "SQLITE_FULL" ? "disk-full" : "failed", message };
}
