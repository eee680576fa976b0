import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * A file of the specification's data: in the folder that `MATRIX_SPEC_DIR` names, else in the one beside the repository.
 *
 * @returns `undefined` when the data is not there, which is said on the standard error output
 * @throws when `MATRIX_SPEC_DIR` names a folder without the file
 */
export function specDataFile(path: string): string | undefined {
  const configured = process.env["MATRIX_SPEC_DIR"];
  const folder = configured ?? fileURLToPath(new URL("../../../shared/spec", import.meta.url));
  const file = join(folder, path);
  if (existsSync(file)) return file;
  if (configured !== undefined) throw new Error(`MATRIX_SPEC_DIR has no ${path}`);
  console.error(`The specification's data is not at hand: nothing is held to its ${path}.`);
  return undefined;
}
