import { mkdir, readdir, rename, rm, stat, statfs } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { BlobStore } from "../media/blob-store.ts";
import { FileBlobStore } from "../media/file-blob-store.ts";
import { hasCode, syncFolder } from "../storage/disk.ts";
import type { DatabaseCopies } from "../storage/database-copies.ts";
import type { RandomBytes } from "../telemetry/random.ts";
import { BackupError } from "./backup-error.ts";
import { removeUnlisted } from "./blob-copies.ts";
import { blobListFile } from "./blob-list.ts";
import { manifestFile } from "./manifest.ts";
import { folderNameOf } from "./restored-files.ts";

/** A backup is called by the moment at which it was begun. */
const backupName = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ$/;
/** What is not a backup yet, or is one no more. */
const unfinishedPrefix = "unfinished-";
const mediaFolder = "media";
const lockFile = "lock.db";

/**
 * A folder of backups: one folder each, beside what they share, the blobs. A backup gets its name when it is whole and on the
 * disk, and loses it before it is removed: what has such a name can be restored.
 */
export class BackupPlace {
  readonly folder: string;
  /** The blobs of all backups, each of them once. */
  readonly blobs: FileBlobStore;

  private constructor(folder: string, blobs: FileBlobStore) {
    this.folder = folder;
    this.blobs = blobs;
  }

  /** Makes the folder when it is not there. */
  static async open(folder: string, randomBytes: RandomBytes): Promise<BackupPlace> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new BackupPlace(folder, await FileBlobStore.open(join(folder, mediaFolder), randomBytes));
  }

  /** @throws BackupError "refused" when another process is making a backup here */
  lock(copies: DatabaseCopies): Disposable {
    const lock = copies.lock(join(this.folder, lockFile));
    if (lock) return lock;
    throw new BackupError("refused", `Another backup is being made in ${this.folder}: wait for its end.`);
  }

  /** The names of the backups, the oldest first. */
  async names(): Promise<string[]> {
    return (await readdir(this.folder)).filter((name) => backupName.test(name)).sort();
  }

  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.folder);
    return bavail * bsize;
  }

  /** Begins a backup in a folder that is none yet. */
  async begin(nowTs: number): Promise<UnfinishedBackup> {
    const name = folderNameOf(nowTs);
    const target = join(this.folder, name);
    if (await stat(target).catch(unlessMissing)) {
      throw new BackupError("refused", `${target} is there already: try again in a second.`);
    }
    const folder = join(this.folder, unfinishedPrefix + name);
    await mkdir(folder, { mode: 0o700 });
    return {
      folder,
      finish: async () => {
        await syncFolder(folder);
        await rename(folder, target);
        await syncFolder(this.folder);
        return target;
      },
    };
  }

  /** Removes what an earlier process left when it was killed. Blobs that it has copied stay: they need not be copied again. */
  async removeLeftovers(): Promise<void> {
    const left = (await readdir(this.folder)).filter((name) => name.startsWith(unfinishedPrefix));
    for (const name of left) await rm(join(this.folder, name), { recursive: true, force: true });
    await this.blobs.removeLeftovers(Infinity);
  }

  /** Removes all backups but the newest. @returns the names of those that are gone */
  async prune(keep: number): Promise<string[]> {
    const old = (await this.names()).slice(0, -keep);
    for (const name of old) {
      const removed = join(this.folder, unfinishedPrefix + name);
      await rename(join(this.folder, name), removed);
      await rm(removed, { recursive: true });
    }
    await this.removeUnusedBlobs();
    return old;
  }

  /** Removes the blobs that belong to no backup. */
  async removeUnusedBlobs(): Promise<void> {
    const lists = (await this.names()).map((name) => join(this.folder, name, blobListFile));
    await removeUnlisted(this.blobs, lists);
  }
}

export interface UnfinishedBackup {
  readonly folder: string;
  /** Gives it its name. @returns the folder of the backup */
  finish(): Promise<string>;
}

/** A backup to read, and where its blobs are. */
export interface FoundBackup {
  readonly folder: string;
  readonly blobs: Pick<BlobStore, "read">;
}

/**
 * Finds a backup.
 * @param path its folder, or a folder of backups, of which the newest is taken
 * @throws BackupError "refused" when there is none
 */
export async function findBackup(path: string, randomBytes: RandomBytes): Promise<FoundBackup> {
  const folder = await backupFolder(resolve(path));
  const place = dirname(folder);
  return { folder, blobs: FileBlobStore.openToRead(join(place, mediaFolder), randomBytes) };
}

async function backupFolder(path: string): Promise<string> {
  if (await stat(join(path, manifestFile)).catch(unlessMissing)) {
    if (!basename(path).startsWith(unfinishedPrefix)) return path;
    throw new BackupError("refused", `${path} is an unfinished backup: use another one.`);
  }
  const entries = (await readdir(path).catch(unlessMissing)) ?? [];
  const newest = entries
    .filter((name) => backupName.test(name))
    .sort()
    .at(-1);
  if (newest !== undefined) return join(path, newest);
  throw new BackupError("refused", `There is no backup in ${path}.`);
}

function unlessMissing(error: unknown): undefined {
  if (!hasCode(error, "ENOENT") && !hasCode(error, "ENOTDIR")) throw error;
}
