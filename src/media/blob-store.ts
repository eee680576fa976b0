import type { Readable } from "node:stream";

/** Bytes `start` to `end`, the latter excluded. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Where files are: content-addressed, so equal files are one blob. What every implementation does is written down in
 * `testing/blob-store-contract.ts`; it may be on this machine or elsewhere, or be made of several others.
 */
export interface BlobStore {
  /**
   * Takes bytes in and hashes them on the way. They are no blob until they are kept; disposing of them before gives
   * them up. A piece is done with when the next is asked for: whoever gives it may use its memory again.
   * @throws BlobTooLargeError, StorageError "disk-full", and whatever the source throws
   */
  receive(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, maxBytes: number): Promise<ReceivedBlob>;
  /**
   * A part of a blob: at once when it is small, else as a stream.
   * @throws BlobMissingError also when the part is not all there, as after a fault of the disk
   */
  read(sha256: string, range: ByteRange): Promise<Buffer | Readable>;
  /**
   * Lends a file with the blob's bytes to a program that wants one; it is not to be written to.
   * @throws BlobMissingError
   */
  useFile<Result>(sha256: string, use: (path: string) => Promise<Result>): Promise<Result>;
  /** Removes a blob if it is there. */
  remove(sha256: string): Promise<void>;
  /** The blobs of a shard that have been there since before a moment. */
  list(shard: number, storedBeforeTs: number): Promise<string[]>;
  /** Removes what was received before a moment and neither kept nor given up, as a crash leaves it. */
  removeLeftovers(receivedBeforeTs: number): Promise<void>;
}

/** `list` goes through the blobs in so many parts. */
export const blobShards = 256;

/** Bytes that have arrived and may become a blob. */
export interface ReceivedBlob extends AsyncDisposable {
  /** In lowercase hexadecimal digits. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Makes it a blob; when this returns, it survives a power cut. @throws StorageError "disk-full" */
  keep(): Promise<void>;
}

export class BlobTooLargeError extends Error {
  constructor(maxBytes: number) {
    super(`more than ${maxBytes} bytes arrived`);
    this.name = "BlobTooLargeError";
  }
}

export class BlobMissingError extends Error {
  constructor(sha256: string) {
    super(`there is no blob ${sha256}`);
    this.name = "BlobMissingError";
  }
}
