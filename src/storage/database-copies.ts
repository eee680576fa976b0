/** A blob that a database refers to. */
export interface BlobReference {
  readonly sha256: string;
  readonly sizeBytes: number;
}

export interface DatabaseContents {
  readonly schemaVersion: number;
  /** How many rows each table has. */
  readonly rows: Readonly<Record<string, number>>;
}

/**
 * How long to pause after a step of copying, in milliseconds.
 * @param totalBytes as far as it is known by then: the database may grow
 */
export type CopyPace = (doneBytes: number, totalBytes: number) => number;

/** Whole databases as files, for backups. Methods that return no promise read or write for as long as it takes. */
export interface DatabaseCopies {
  /** The newest schema that this program knows. */
  readonly schemaVersion: number;
  /** The name of the database's file in a data folder. */
  readonly fileName: string;
  /** Names of files that belong to it and make no sense beside another database. */
  readonly companions: readonly string[];
  /** What a copy of the database takes; `undefined` when the folder has none. */
  sizeBytes(dataFolder: string): number | undefined;
  /** Whether any process, such as a server, has the database open. */
  isInUse(dataFolder: string): boolean;
  /**
   * Copies the database as it is at one moment into a new file, while others may write to it. The write-ahead log cannot
   * begin anew until that is done.
   * @throws StorageError "disk-full"
   */
  copy(dataFolder: string, target: string, pace: CopyPace): Promise<void>;
  /** What a copy holds. */
  contents(file: string): DatabaseContents;
  /** What is wrong with a copy, a sentence each; at most 100. */
  problems(file: string): string[];
  /** The blobs that a copy refers to, in the order of their hashes. */
  blobs(file: string): Iterable<BlobReference>;
  /** Those of some blobs that a data folder's database refers to now. */
  referenced(dataFolder: string, sha256s: readonly string[]): string[];
  /**
   * Makes a copy fit to be served from after others have been served from its original: brings its schema up to date, and
   * takes care that nothing is done or given out a second time.
   * @throws StorageError "disk-full"
   */
  makeServable(file: string): void;
  /** Keeps others away from what a file of this name stands for, until it is disposed of or the process ends. */
  lock(file: string): Disposable | undefined;
}
