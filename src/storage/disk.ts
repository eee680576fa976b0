import { open } from "node:fs/promises";
import { StorageError } from "./errors.ts";

/** Has a folder's entries, such as a file that was renamed, survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, "r");
  await handle.sync();
}

/** Whether something failed because the disk, or what somebody may have of it, is full. */
export function isDiskFull(error: unknown): boolean {
  if (error instanceof StorageError) return error.failure === "disk-full";
  return hasCode(error, "ENOSPC") || hasCode(error, "EDQUOT");
}

/** Whether the operating system gave this code for the failure, such as `ENOENT`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
