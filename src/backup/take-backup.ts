import { mkdir, open, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { signingKeyFile } from "../federation/signing-key.ts";
import type { BlobStore } from "../media/blob-store.ts";
import { hasCode, isDiskFull, syncFolder } from "../storage/disk.ts";
import type { DatabaseCopies } from "../storage/database-copies.ts";
import { type Clock, timeText } from "../telemetry/clock.ts";
import { asBackupError, BackupError } from "./backup-error.ts";
import type { BackupPlace } from "./backup-place.ts";
import { copyBlobs } from "./blob-copies.ts";
import { blobLine, blobListFile } from "./blob-list.ts";
import { copyFile, digestOf, type FileDigest, type Work } from "./files.ts";
import { type NewManifest, writeManifest } from "./manifest.ts";

/** What is backed up. */
export interface BackupSource {
  readonly serverName: string;
  readonly hearthVersion: string;
  readonly dataFolder: string;
  readonly blobs: Pick<BlobStore, "read">;
  /** Files of the operator's: the configuration, and what it refers to. By the paths that they get in the backup. */
  readonly configFiles: ReadonlyMap<string, string>;
}

export interface BackupParts extends Work {
  readonly copies: DatabaseCopies;
  readonly clock: Clock;
}

export interface BackupReport {
  /** Where the backup is. */
  readonly folder: string;
  readonly manifest: NewManifest;
  /** The media that the place did not have before. */
  readonly copiedMedia: { readonly count: number; readonly sizeBytes: number };
  /** How many files the database refers to that are not in the media folder, or not as they were uploaded. */
  readonly lostMedia: number;
  /** The names of older backups that were removed. */
  readonly pruned: readonly string[];
}

const nothingLeft = "The backup was given up, and nothing is left of it.";

/**
 * Makes a backup, whether a server runs on the data folder or not.
 * @param keep how many backups stay in the place, this one included; all when it is `undefined`
 * @throws BackupError; nothing is left of the backup then
 */
export async function takeBackup(
  source: BackupSource,
  place: BackupPlace,
  keep: number | undefined,
  parts: BackupParts,
): Promise<BackupReport> {
  using _lock = place.lock(parts.copies);
  await place.removeLeftovers();
  await checkRoom(source, place, parts.copies);
  const startTs = parts.clock.nowMs();
  const unfinished = await place.begin(startTs);
  const write = async () => {
    const made = await new BackupWriter(source, place, unfinished.folder, parts).write(startTs);
    return { folder: await unfinished.finish(), ...made };
  };
  const made = await write().catch(async (error: unknown) => {
    await rm(unfinished.folder, { recursive: true, force: true });
    if (isDiskFull(error)) await place.removeUnusedBlobs();
    throw asBackupError(error, place.folder, nothingLeft);
  });
  return { ...made, pruned: keep === undefined ? [] : await place.prune(keep) };
}

async function checkRoom(
  { dataFolder }: BackupSource,
  place: BackupPlace,
  copies: DatabaseCopies,
): Promise<void> {
  const neededBytes = copies.sizeBytes(dataFolder);
  if (neededBytes === undefined) {
    throw new BackupError("refused", `There is no database in ${dataFolder}: is it the right data_dir?`);
  }
  const freeBytes = await place.freeBytes();
  if (freeBytes >= neededBytes) return;
  throw new BackupError(
    "disk-full",
    `The disk of ${place.folder} has ${freeBytes} bytes left, and the database takes ${neededBytes}. Nothing was copied.`,
  );
}

/** Fills the folder of one backup. */
class BackupWriter {
  readonly #source: BackupSource;
  readonly #place: BackupPlace;
  readonly #folder: string;
  readonly #parts: BackupParts;
  readonly #files: Record<string, FileDigest> = {};

  constructor(source: BackupSource, place: BackupPlace, folder: string, parts: BackupParts) {
    this.#source = source;
    this.#place = place;
    this.#folder = folder;
    this.#parts = parts;
  }

  async write(startTs: number): Promise<Pick<BackupReport, "manifest" | "copiedMedia" | "lostMedia">> {
    const { serverName, hearthVersion } = this.#source;
    await this.#copySmallFiles();
    const database = await this.#copyDatabase();
    const { media, copiedMedia, lostMedia } = await this.#copyMedia(database);
    const contents = this.#parts.copies.contents(database);
    const manifest = {
      taken: timeText(startTs),
      serverName,
      hearthVersion,
      ...contents,
      files: this.#files,
      media,
    };
    await writeManifest(this.#folder, manifest);
    return { manifest, copiedMedia, lostMedia };
  }

  /** The key that other servers know this one by, and what the operator has written. */
  async #copySmallFiles(): Promise<void> {
    const { dataFolder, configFiles } = this.#source;
    const key = join(dataFolder, signingKeyFile);
    // A server that was never started has none yet.
    if (await isThere(key)) await this.#copySmallFile(key, signingKeyFile);
    for (const [path, file] of configFiles) await this.#copySmallFile(file, path);
  }

  async #copySmallFile(file: string, path: string): Promise<void> {
    const target = join(this.#folder, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    this.#files[path] = await copyFile(file, target, { ...this.#parts, progress: silent });
    await syncFolder(dirname(target));
  }

  async #copyDatabase(): Promise<string> {
    const { copies, pace, progress } = this.#parts;
    const { dataFolder } = this.#source;
    const target = join(this.#folder, copies.fileName);
    progress.begin("Copying the database", copies.sizeBytes(dataFolder) ?? 0);
    let copiedBytes = 0;
    await copies.copy(dataFolder, target, (doneBytes) => {
      const stepBytes = doneBytes - copiedBytes;
      copiedBytes = doneBytes;
      progress.advance(stepBytes);
      return pace.pauseAfter(stepBytes);
    });
    progress.begin("Hashing the database", copiedBytes);
    this.#files[copies.fileName] = await digestOf(target, this.#parts);
    return target;
  }

  /** After the database: it refers to nothing that came later. */
  async #copyMedia(database: string) {
    const { copies, progress } = this.#parts;
    const file = join(this.#folder, blobListFile);
    const media = { count: 0, sizeBytes: 0, missing: 0 };
    const copiedMedia = { count: 0, sizeBytes: 0 };
    let lostMedia = 0;
    progress.begin("Copying new media", 0);
    await using list = await open(file, "wx", 0o600);
    const stores = { from: this.#source.blobs, to: this.#place.blobs };
    await copyBlobs(copies.blobs(database), stores, this.#parts, async (outcomes) => {
      const missing: string[] = [];
      let lines = "";
      for (const [reference, outcome] of outcomes) {
        if (outcome === "missing" || outcome === "damaged") {
          missing.push(reference.sha256);
          continue;
        }
        lines += blobLine(reference);
        addTo(media, reference.sizeBytes);
        if (outcome === "copied") addTo(copiedMedia, reference.sizeBytes);
      }
      media.missing += missing.length;
      // What the server has removed since is not missed.
      if (missing.length > 0) lostMedia += copies.referenced(this.#source.dataFolder, missing).length;
      await list.writeFile(lines);
    });
    await list.sync();
    this.#files[blobListFile] = await digestOf(file, { ...this.#parts, progress: silent });
    return { media, copiedMedia, lostMedia };
  }
}

function addTo(sum: { count: number; sizeBytes: number }, sizeBytes: number): void {
  sum.count += 1;
  sum.sizeBytes += sizeBytes;
}

/** Of small files nobody waits for the end. */
const silent = { begin: () => undefined, advance: () => undefined };

async function isThere(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isFile();
  } catch (error) {
    if (hasCode(error, "ENOENT")) return false;
    throw error;
  }
}
