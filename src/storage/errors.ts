export type StorageFailure =
  /** More writes are waiting than the queue holds; the caller may try again later. */
  | "overloaded"
  /** The disk has no room left. */
  | "disk-full"
  /** The database is closing or closed. */
  | "closed"
  /** Anything else: a fault of the database or of a statement. */
  | "failed";

/** A storage operation that did not take place; nothing of it was stored. */
export class StorageError extends Error {
  readonly failure: StorageFailure;

  constructor(failure: StorageFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StorageError";
    this.failure = failure;
  }
}
