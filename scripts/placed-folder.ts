import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";

/**
 * Makes a folder that is there whole or not at all.
 * @param make fills a folder, which is then put in place. Others may do the same at this moment, each with a folder of their
 *   own: the first stays
 */
export async function placeFolder(folder: string, make: (made: string) => Promise<void>): Promise<void> {
  const made = mkdtempSync(`${folder}-`);
  try {
    await make(made);
    chmodSync(made, 0o755);
    putInPlace(made, folder);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

function putInPlace(made: string, folder: string): void {
  try {
    renameSync(made, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  }
}
