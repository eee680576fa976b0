import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isJsonObject, type JsonObject, type JsonValue } from "../protocol/json.ts";
import { hasCode } from "../storage/disk.ts";
import { BackupError } from "./backup-error.ts";
import type { FileDigest } from "./files.ts";

/** Grows when a program that knows the format before could not restore a backup. */
const formatVersion = 1;
export const manifestFile = "manifest.json";

/** What a backup is: written last, so that a backup without it is none. */
export interface Manifest {
  readonly format: typeof formatVersion;
  /** The moment whose state the database has, by RFC 3339. */
  readonly taken: string;
  readonly serverName: string;
  /** Of the program that made it. */
  readonly hearthVersion: string;
  readonly schemaVersion: number;
  /** How many rows each table of the database has. */
  readonly rows: Readonly<Record<string, number>>;
  /** By path inside the backup. */
  readonly files: Readonly<Record<string, FileDigest>>;
  /** The uploaded files that the database refers to: those in the list, and those that were not to be found. */
  readonly media: { readonly count: number; readonly sizeBytes: number; readonly missing: number };
}

export type NewManifest = Omit<Manifest, "format">;

/** Writes it into a backup's folder; when this returns, it survives a power cut. */
export async function writeManifest(folder: string, manifest: NewManifest): Promise<void> {
  await using file = await open(join(folder, manifestFile), "wx", 0o600);
  await file.writeFile(`${JSON.stringify({ format: formatVersion, ...manifest }, undefined, 2)}\n`);
  await file.sync();
}

/** @throws BackupError "refused" when there is none, or one of a later version; "damaged" when it cannot be understood */
export async function readManifest(folder: string): Promise<Manifest> {
  const value = parse(folder, await readText(folder));
  const { format } = value;
  if (typeof format === "number" && format > formatVersion) {
    throw new BackupError("refused", `${folder} was made by a newer version of Hearth: use that to read it.`);
  }
  if (!isManifest(value)) throw damaged(folder);
  return value;
}

async function readText(folder: string): Promise<string> {
  try {
    return await readFile(join(folder, manifestFile), "utf8");
  } catch (error) {
    if (!hasCode(error, "ENOENT") && !hasCode(error, "ENOTDIR")) throw error;
    throw new BackupError("refused", `${folder} is no backup: it has no ${manifestFile}.`, { cause: error });
  }
}

function parse(folder: string, text: string): JsonObject {
  try {
    const value = JSON.parse(text) as JsonValue;
    if (isJsonObject(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw damaged(folder, error);
  }
  throw damaged(folder);
}

function damaged(folder: string, cause?: unknown): BackupError {
  return new BackupError("damaged", `${join(folder, manifestFile)} is damaged: use another backup.`, {
    cause,
  });
}

function isManifest(value: unknown): value is Manifest {
  if (!isJsonObject(value)) return false;
  const { format, taken, serverName, hearthVersion, schemaVersion, rows, files, media } = value;
  return (
    format === formatVersion &&
    [taken, serverName, hearthVersion].every((text) => typeof text === "string") &&
    isCount(schemaVersion) &&
    isJsonObject(rows) &&
    Object.values(rows).every(isCount) &&
    isJsonObject(files) &&
    Object.entries(files).every(([path, digest]) => isInside(path) && isDigest(digest)) &&
    isJsonObject(media) &&
    ["count", "sizeBytes", "missing"].every((key) => isCount(media[key]))
  );
}

function isCount(value: unknown): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Nothing outside of the backup is read, whatever its manifest names. */
function isInside(path: string): boolean {
  return path
    .split("/")
    .every((part) => part !== "" && part !== "." && part !== ".." && !part.includes("\\"));
}

function isDigest(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  return isCount(value["sizeBytes"]) && typeof value["sha256"] === "string" && isSha256(value["sha256"]);
}

/** Whether a text is a hash in lowercase hexadecimal digits. */
export function isSha256(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}
