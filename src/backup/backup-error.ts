import { isDiskFull } from "../storage/disk.ts";

export type BackupFailure =
  /** What was asked for would do harm, or makes no sense. */
  | "refused"
  | "disk-full"
  /** A file cannot be read or written. */
  | "unwritable"
  /** A backup is not what it was when it was made. */
  | "damaged";

/** A backup or a restore that did not take place. The message is a sentence for the operator. */
export class BackupError extends Error {
  override readonly name = "BackupError";
  readonly reason: BackupFailure;

  constructor(reason: BackupFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

const permissionCodes = ["EACCES", "EPERM", "EROFS", "ENOTDIR", "EIO"];

/**
 * What the disk said while something was written to a folder, for the operator.
 * @param nothingLeft a sentence about what is there now
 */
export function asBackupError(error: unknown, folder: string, nothingLeft: string): unknown {
  if (isDiskFull(error)) {
    return new BackupError("disk-full", `The disk of ${folder} is full. ${nothingLeft}`, { cause: error });
  }
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (!permissionCodes.includes(code)) return error;
  return new BackupError("unwritable", `${folder} cannot be used (${code}). ${nothingLeft}`, {
    cause: error,
  });
}
