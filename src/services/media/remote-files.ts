import type { ServerName } from "../../protocol/identifiers.ts";

/** A file that comes in from another server. */
export interface RemoteFile {
  /** It will have at least so many, as far as can be told before they come. */
  readonly minBytes: number;
  readonly contentType: string | undefined;
  readonly filename: string | undefined;
  /** To be read once. @throws RemoteFileError when it breaks off, or comes in too slowly */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Fetches files of other servers. */
export interface RemoteFiles {
  /**
   * Hands a file to `take` while it arrives.
   * @param waitMs how long the server may wait for a file that has still to be uploaded there
   * @throws RemoteFileError when there is no such file to be had, and what `take` throws
   */
  fetch<Result>(
    serverName: ServerName,
    mediaId: string,
    waitMs: number,
    take: (file: RemoteFile) => Promise<Result>,
  ): Promise<Result>;
}

export type RemoteFileFailure =
  | "not-found"
  | "not-yet-uploaded"
  | "too-large"
  /** Too much has been asked of the server. */
  | "busy"
  /** No connection, or no answer. */
  | "unreachable"
  /** One that is no file, or breaks off. */
  | "bad-answer";

/** A file of another server that cannot be had. */
export class RemoteFileError extends Error {
  readonly failure: RemoteFileFailure;

  constructor(failure: RemoteFileFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "RemoteFileError";
    this.failure = failure;
  }
}
