import { basename, relative, resolve } from "node:path";
import { registrationFiles } from "../appservices/registration-file.ts";
import { BackupError } from "../backup/backup-error.ts";
import { BackupPlace, findBackup } from "../backup/backup-place.ts";
import { Pace } from "../backup/pace.ts";
import type { Progress } from "../backup/progress.ts";
import { type RestoreReport, restoreBackup } from "../backup/restore-backup.ts";
import { type BackupReport, takeBackup } from "../backup/take-backup.ts";
import { type VerifyReport, verifyBackup } from "../backup/verify-backup.ts";
import type { Config } from "../config/schema.ts";
import { FileBlobStore } from "../media/file-blob-store.ts";
import { mediaFolderOf } from "../media/media-folder.ts";
import { sqliteCopies } from "../storage/sqlite/copies/sqlite-copies.ts";
import { systemClock } from "../telemetry/clock.ts";
import { systemRandomBytes } from "../telemetry/random.ts";
import { version } from "../version.ts";

/** Inside a backup: what the operator has written. */
const configFolder = "config";

export interface BackupWork {
  readonly progress: Progress;
  readonly bytesPerSecond: number;
}

/**
 * Backs up a server's data, whether it runs or not.
 * @param configFile the configuration that `config` was read from
 * @param keep how many backups stay in the place; all when it is `undefined`
 * @throws BackupError
 */
export async function backUp(
  config: Config,
  { place, configFile, keep }: { place: string; configFile: string | undefined; keep: number | undefined },
  work: BackupWork,
): Promise<BackupReport> {
  const folder = resolve(place);
  // The server takes everything in its media folder for media, and a restore has to outlive the data folder.
  if (!relative(config.data_dir, folder).startsWith("..")) {
    throw new BackupError(
      "refused",
      `${folder} is in data_dir: take a folder elsewhere, best on another disk.`,
    );
  }
  const source = {
    serverName: config.server_name,
    hearthVersion: version,
    dataFolder: config.data_dir,
    blobs: FileBlobStore.openToRead(mediaFolderOf(config), systemRandomBytes),
    configFiles: configFiles(config, configFile),
  };
  return takeBackup(source, await BackupPlace.open(folder, systemRandomBytes), keep, partsOf(work));
}

/**
 * Checks a backup by restoring it in a temporary folder.
 * @param from its folder, or a folder of backups, of which the newest is taken
 * @param temporary the folder in which that one is made
 * @throws BackupError
 */
export async function checkBackup(
  from: string,
  temporary: string,
  work: BackupWork,
): Promise<VerifyReport & { folder: string }> {
  const backup = await findBackup(from, systemRandomBytes);
  const report = await verifyBackup(backup, temporary, { ...partsOf(work), randomBytes: systemRandomBytes });
  return { folder: backup.folder, ...report };
}

/**
 * Restores a backup into the data folder of a configuration.
 * @param from as for `checkBackup`
 * @param replace whether a database that is there is put aside
 * @throws BackupError
 */
export async function restore(
  config: Config,
  { from, replace }: { from: string; replace: boolean },
  work: BackupWork,
): Promise<RestoreReport & { folder: string }> {
  const backup = await findBackup(from, systemRandomBytes);
  const target = {
    serverName: config.server_name,
    dataFolder: config.data_dir,
    openBlobs: () => FileBlobStore.open(mediaFolderOf(config), systemRandomBytes),
    replace,
  };
  return { folder: backup.folder, ...(await restoreBackup(backup, target, partsOf(work))) };
}

function partsOf({ progress, bytesPerSecond }: BackupWork) {
  const pace = new Pace(bytesPerSecond, systemClock);
  return { copies: sqliteCopies, clock: systemClock, randomBytes: systemRandomBytes, pace, progress };
}

/** The configuration and the registrations of application services: both have secrets. Certificates are renewed anyway. */
function configFiles(config: Config, configFile: string | undefined): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  if (configFile !== undefined) files.set(`${configFolder}/${basename(configFile)}`, configFile);
  const registrations = config.application_services.flatMap(registrationFiles);
  for (const [index, file] of registrations.entries()) {
    files.set(`${configFolder}/application-services/${index + 1}-${basename(file)}`, file);
  }
  return files;
}
