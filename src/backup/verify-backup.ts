import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { StartupError } from "../config/startup-error.ts";
import { loadSigningKey, signingKeyFile } from "../federation/signing-key.ts";
import { BlobMissingError } from "../media/blob-store.ts";
import type { BlobReference, DatabaseCopies } from "../storage/database-copies.ts";
import type { RandomBytes } from "../telemetry/random.ts";
import { asBackupError, BackupError } from "./backup-error.ts";
import type { FoundBackup } from "./backup-place.ts";
import { bytesOf } from "./blob-copies.ts";
import { blobListFile, readBlobList } from "./blob-list.ts";
import { checkFile, checkSchema, copyChecked } from "./checked-copies.ts";
import type { Work } from "./files.ts";
import { type Manifest, readManifest } from "./manifest.ts";

export interface VerifyParts extends Work {
  readonly copies: DatabaseCopies;
  readonly randomBytes: RandomBytes;
}

export interface VerifyReport {
  readonly manifest: Manifest;
  /** What is wrong, a sentence each; none when the backup is good. At most `maxProblems`. */
  readonly problems: readonly string[];
}

/** After so many it is clear that the backup is no good. */
const maxProblems = 100;

/**
 * Reads all of a backup, compares it with its manifest, and restores it in a temporary folder, of which nothing stays.
 * @param temporary the folder in which that one is made
 * @throws BackupError when it is no backup, or cannot be rehearsed here
 */
export async function verifyBackup(
  backup: FoundBackup,
  temporary: string,
  parts: VerifyParts,
): Promise<VerifyReport> {
  const manifest = await readManifest(backup.folder);
  checkSchema(manifest, parts.copies.schemaVersion);
  const folder = await mkdtemp(join(temporary, "hearth-verify-"));
  try {
    const rehearsal = new Rehearsal(backup, manifest, folder, parts);
    await rehearsal.run();
    return { manifest, problems: rehearsal.problems };
  } catch (error) {
    throw asBackupError(error, temporary, "Set TMPDIR to a folder with room for the database.");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

class Rehearsal {
  readonly problems: string[] = [];
  readonly #backup: FoundBackup;
  readonly #manifest: Manifest;
  readonly #folder: string;
  readonly #parts: VerifyParts;

  constructor(backup: FoundBackup, manifest: Manifest, folder: string, parts: VerifyParts) {
    this.#backup = backup;
    this.#manifest = manifest;
    this.#folder = folder;
    this.#parts = parts;
  }

  async run(): Promise<void> {
    const { copies, progress } = this.#parts;
    const { [copies.fileName]: database, [blobListFile]: _list, ...others } = this.#manifest.files;
    for (const path of Object.keys(others)) await this.#try(() => this.#check(path));
    progress.begin("Restoring the database", database?.sizeBytes ?? 0);
    if (others[signingKeyFile]) await this.#try(() => this.#rehearseKey());
    await this.#try(() => this.#rehearseDatabase());
    progress.begin("Checking media", this.#manifest.media.sizeBytes);
    await this.#try(() => this.#checkMedia());
  }

  #check(path: string): Promise<void> {
    return checkFile(this.#backup, this.#manifest, path, this.#parts);
  }

  #copy(path: string): Promise<void> {
    return copyChecked(this.#backup, this.#manifest, path, join(this.#folder, path), this.#parts);
  }

  async #rehearseKey(): Promise<void> {
    await this.#copy(signingKeyFile);
    loadSigningKey(this.#folder, this.#parts.randomBytes);
  }

  async #rehearseDatabase(): Promise<void> {
    const { copies } = this.#parts;
    const file = join(this.#folder, copies.fileName);
    await this.#copy(copies.fileName);
    copies.problems(file).forEach((text) => this.#note(`The database is damaged: ${text}.`));
    const { rows, schemaVersion } = copies.contents(file);
    this.#compare("schema version", this.#manifest.schemaVersion, schemaVersion);
    for (const table of new Set([...Object.keys(rows), ...Object.keys(this.#manifest.rows)])) {
      this.#compare(`rows of ${table}`, this.#manifest.rows[table], rows[table]);
    }
    const { count, missing } = this.#manifest.media;
    let blobs = 0;
    for (const _blob of copies.blobs(file)) blobs += 1;
    this.#compare("files that the database refers to", count + missing, blobs);
    copies.makeServable(file);
  }

  #compare(what: string, written: number | undefined, found: number | undefined): void {
    if (written === found) return;
    this.#note(
      `The database does not match the manifest: ${what}: ${found ?? 0} instead of ${written ?? 0}.`,
    );
  }

  async #checkMedia(): Promise<void> {
    // Without a list that is what it was there is nothing to go by.
    await this.#check(blobListFile);
    let count = 0;
    for await (const reference of readBlobList(join(this.#backup.folder, blobListFile))) {
      await this.#checkBlob(reference);
      count += 1;
    }
    if (count !== this.#manifest.media.count) {
      this.#note(`${blobListFile} has ${count} files instead of ${this.#manifest.media.count}.`);
    }
  }

  async #checkBlob(reference: BlobReference): Promise<void> {
    const hash = createHash("sha256");
    try {
      for await (const piece of bytesOf(this.#backup.blobs, reference, this.#parts)) hash.update(piece);
    } catch (error) {
      if (!(error instanceof BlobMissingError)) throw error;
      this.#note(`The uploaded file ${reference.sha256} is missing or too short.`);
      return;
    }
    if (hash.digest("hex") !== reference.sha256) {
      this.#note(`The uploaded file ${reference.sha256} is damaged.`);
    }
  }

  /** One damaged part is no reason not to look at the others. */
  async #try(check: () => Promise<void>): Promise<void> {
    try {
      await check();
    } catch (error) {
      const isDamage = error instanceof BackupError && error.reason === "damaged";
      if (!isDamage && !(error instanceof StartupError)) throw error;
      this.#note(error.message);
    }
  }

  #note(problem: string): void {
    if (this.problems.length < maxProblems) this.problems.push(problem);
  }
}
