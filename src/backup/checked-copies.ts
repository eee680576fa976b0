import { join } from "node:path";
import { hasCode } from "../storage/disk.ts";
import { BackupError } from "./backup-error.ts";
import type { FoundBackup } from "./backup-place.ts";
import { copyFile, digestOf, type FileDigest, type Work } from "./files.ts";
import type { Manifest } from "./manifest.ts";

/** @throws BackupError "damaged" when the file is not what it was when the backup was made */
export async function checkFile(
  { folder }: FoundBackup,
  manifest: Manifest,
  path: string,
  work: Work,
): Promise<void> {
  const file = join(folder, path);
  compare(file, manifest.files[path], await unlessGone(file, digestOf(file, work)));
}

/** Copies a file of a backup. @throws BackupError "damaged" as `checkFile` */
export async function copyChecked(
  { folder }: FoundBackup,
  manifest: Manifest,
  path: string,
  target: string,
  work: Work,
): Promise<void> {
  const file = join(folder, path);
  compare(file, manifest.files[path], await unlessGone(file, copyFile(file, target, work)));
}

function compare(file: string, written: FileDigest | undefined, found: FileDigest): void {
  if (found.sha256 === written?.sha256) return;
  throw new BackupError(
    "damaged",
    `${file} is not what it was when the backup was made: use another backup.`,
  );
}

async function unlessGone<Result>(file: string, reading: Promise<Result>): Promise<Result> {
  try {
    return await reading;
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
    throw new BackupError("damaged", `${file} is missing: use another backup.`, { cause: error });
  }
}

/** @throws BackupError "refused" when this program is too old for the backup's database */
export function checkSchema(manifest: Manifest, knownVersion: number): void {
  if (manifest.schemaVersion <= knownVersion) return;
  throw new BackupError(
    "refused",
    `The backup's database has schema version ${manifest.schemaVersion}, and this version of Hearth knows ` +
      `${knownVersion} at most: use Hearth ${manifest.hearthVersion} or a newer one.`,
  );
}
