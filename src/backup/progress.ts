/** Who is told how far long work has come. */
export interface Progress {
  /** A part of the work begins. @param what such as "Copying the database" */
  begin(what: string, totalBytes: number): void;
  /** Bytes of this part that are done now. */
  advance(bytes: number): void;
}
