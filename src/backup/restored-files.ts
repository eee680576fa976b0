import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { syncFolder } from "../storage/disk.ts";
import { timeText } from "../telemetry/clock.ts";

/** Where a restore puts together what the data folder will have. It means nothing yet. */
const unfinishedFolder = "restoring";
/** What it is called when it is whole: from then on it is the restored data that counts, whatever happens. */
const finishedFolder = "restored";
/** What the data folder had before, by the moment of the restore. */
const replacedPrefix = "replaced-";

/** Begins anew with an empty folder inside the data folder, on the same disk. @returns the folder */
export function beginRestoredFiles(dataFolder: string): string {
  const folder = join(dataFolder, unfinishedFolder);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

export function giveUpRestoredFiles(dataFolder: string): void {
  rmSync(join(dataFolder, unfinishedFolder), { recursive: true, force: true });
}

/** The one step that decides: before it nothing was restored, after it everything is. */
export async function commitRestoredFiles(dataFolder: string): Promise<void> {
  await syncFolder(join(dataFolder, unfinishedFolder));
  renameSync(join(dataFolder, unfinishedFolder), join(dataFolder, finishedFolder));
  await syncFolder(dataFolder);
}

/**
 * Puts restored files where they belong, and what was there before aside. A restore that was killed after it was whole is
 * finished by whoever opens the data folder next: it does nothing where none was.
 * @param companions names of files that make no sense beside another database than their own
 * @returns the folder with the files that were there before, if there were any
 */
export function placeRestoredFiles(
  dataFolder: string,
  companions: readonly string[],
  nowTs: number,
): string | undefined {
  const restored = join(dataFolder, finishedFolder);
  if (!existsSync(restored)) return undefined;
  const aside = join(restored, replacedPrefix);
  const putAside = (name: string) => {
    if (!existsSync(join(dataFolder, name))) return;
    mkdirSync(aside, { recursive: true, mode: 0o700 });
    renameSync(join(dataFolder, name), join(aside, name));
  };
  const names = readdirSync(restored).filter((name) => name !== replacedPrefix);
  // What belongs to the old database goes before the new one comes: nothing is ever read together with the wrong one.
  if (names.length > 0) companions.forEach(putAside);
  for (const name of names) {
    putAside(name);
    renameSync(join(restored, name), join(dataFolder, name));
  }
  const replaced = join(dataFolder, replacedPrefix + folderNameOf(nowTs));
  const hadFiles = existsSync(aside);
  if (hadFiles) renameSync(aside, replaced);
  rmSync(restored, { recursive: true });
  return hadFiles ? replaced : undefined;
}

/** A moment as the name of a folder, which sorts by time. */
export function folderNameOf(ts: number): string {
  return timeText(ts).replaceAll(":", "-");
}
