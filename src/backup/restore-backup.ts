import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { signingKeyFile } from "../federation/signing-key.ts";
import type { BlobStore } from "../media/blob-store.ts";
import type { DatabaseCopies } from "../storage/database-copies.ts";
import type { Clock } from "../telemetry/clock.ts";
import { asBackupError, BackupError } from "./backup-error.ts";
import type { FoundBackup } from "./backup-place.ts";
import { copyBlobs } from "./blob-copies.ts";
import { blobListFile, readBlobList } from "./blob-list.ts";
import { checkFile, checkSchema, copyChecked } from "./checked-copies.ts";
import type { Work } from "./files.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import {
  beginRestoredFiles,
  commitRestoredFiles,
  giveUpRestoredFiles,
  placeRestoredFiles,
} from "./restored-files.ts";

/** Where a backup is restored to. */
export interface RestoreTarget {
  readonly serverName: string;
  readonly dataFolder: string;
  /** Opens the media of the data folder, which is made when it is not there. */
  openBlobs(): Promise<BlobStore>;
  /** Whether a database that is there is put aside. */
  readonly replace: boolean;
}

export interface RestoreParts extends Work {
  readonly copies: DatabaseCopies;
  readonly clock: Clock;
}

export interface RestoreReport {
  readonly manifest: Manifest;
  /** The folder with what was there before. */
  readonly replaced: string | undefined;
  readonly media: {
    readonly copied: number;
    /** Those that the media folder had already. */
    readonly kept: number;
    /** Those that the backup lacks, or that are damaged in it: they are not restored. */
    readonly lost: number;
  };
}

const nothingChanged = "Nothing was restored; the data folder's database is as it was.";

/**
 * Restores a backup into a data folder. Until the end nothing counts: the database that is there stays in force.
 * @throws BackupError; nothing was restored then
 */
export async function restoreBackup(
  backup: FoundBackup,
  target: RestoreTarget,
  parts: RestoreParts,
): Promise<RestoreReport> {
  const { dataFolder } = target;
  const { copies, clock } = parts;
  const manifest = await readManifest(backup.folder);
  checkSchema(manifest, copies.schemaVersion);
  checkTarget(manifest, target, copies);
  parts.progress.begin("Checking the backup", manifest.files[copies.fileName]?.sizeBytes ?? 0);
  for (const path of Object.keys(manifest.files)) await checkFile(backup, manifest, path, parts);
  const restore = async () => {
    await mkdir(dataFolder, { recursive: true, mode: 0o700 });
    const media = await restoreMedia(backup, manifest, await target.openBlobs(), parts);
    await restoreFiles(backup, manifest, dataFolder, parts);
    return media;
  };
  const media = await restore().catch((error: unknown) => {
    giveUpRestoredFiles(dataFolder);
    throw asBackupError(error, dataFolder, nothingChanged);
  });
  await commitUnlessInUse(dataFolder, copies);
  const replaced = placeRestoredFiles(dataFolder, copies.companions, clock.nowMs());
  return { manifest, replaced, media };
}

function checkTarget(
  { serverName }: Manifest,
  { serverName: ownName, dataFolder, replace }: RestoreTarget,
  copies: DatabaseCopies,
): void {
  if (serverName !== ownName) {
    throw new BackupError(
      "refused",
      `The backup is of ${serverName}, and the configuration is of ${ownName}: set server_name to ${serverName}.`,
    );
  }
  if (copies.sizeBytes(dataFolder) === undefined) return;
  refuseIfInUse(dataFolder, copies);
  if (replace) return;
  throw new BackupError(
    "refused",
    `There is a database in ${dataFolder} already. With --replace it is put aside, and what it has that the backup ` +
      "has not is no longer served.",
  );
}

/** Somebody may have started a server meanwhile. */
async function commitUnlessInUse(dataFolder: string, copies: DatabaseCopies): Promise<void> {
  try {
    if (copies.sizeBytes(dataFolder) !== undefined) refuseIfInUse(dataFolder, copies);
  } catch (error) {
    giveUpRestoredFiles(dataFolder);
    throw error;
  }
  await commitRestoredFiles(dataFolder);
}

function refuseIfInUse(dataFolder: string, copies: DatabaseCopies): void {
  if (!copies.isInUse(dataFolder)) return;
  throw new BackupError("refused", `A server, or another command, is using ${dataFolder}: stop it first.`);
}

/** Database and key, put together in a folder of their own. */
async function restoreFiles(
  backup: FoundBackup,
  manifest: Manifest,
  dataFolder: string,
  { copies, ...work }: RestoreParts,
): Promise<void> {
  const folder = beginRestoredFiles(dataFolder);
  work.progress.begin("Restoring the database", manifest.files[copies.fileName]?.sizeBytes ?? 0);
  for (const path of [copies.fileName, signingKeyFile]) {
    if (manifest.files[path]) await copyChecked(backup, manifest, path, join(folder, path), work);
  }
  copies.makeServable(join(folder, copies.fileName));
}

/** Straight into the media folder: a blob is named after its bytes, so it does no harm where it is not needed. */
async function restoreMedia(
  backup: FoundBackup,
  { media }: Manifest,
  to: BlobStore,
  work: Work,
): Promise<RestoreReport["media"]> {
  const result = { copied: 0, kept: 0, lost: media.missing };
  const references = readBlobList(join(backup.folder, blobListFile));
  work.progress.begin("Restoring media", media.sizeBytes);
  await copyBlobs(references, { from: backup.blobs, to }, work, async (outcomes) => {
    for (const [, outcome] of outcomes) {
      if (outcome === "copied" || outcome === "kept") result[outcome] += 1;
      else result.lost += 1;
    }
  });
  return result;
}
