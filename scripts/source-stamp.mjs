import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * Where the bundle of the source is, once it has been made.
 *
 * @param {string} root the folder of the repository
 * @returns {string}
 */
export function bundleFolder(root) {
  return join(root, `dist-${sourceStamp(root).slice(0, 16)}`);
}

/**
 * What goes into the bundle, by the names, sizes and times of all files. Another version has another stamp, be it older
 * or newer: archives and copies bring the times of their files along.
 *
 * @param {string} root the folder of the repository
 * @returns {string}
 */
export function sourceStamp(root) {
  const hash = createHash("sha256");
  addFolder(hash, root, "src");
  for (const file of ["package.json", "package-lock.json", "scripts/bundle.ts", "scripts/console.ts"])
    addFile(hash, root, file);
  return hash.digest("hex");
}

/**
 * @param {import("node:crypto").Hash} hash
 * @param {string} root
 * @param {string} folder
 */
function addFolder(hash, root, folder) {
  const entries = readdirSync(`${root}/${folder}`, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) addFolder(hash, root, path);
    else addFile(hash, root, path);
  }
}

/**
 * @param {import("node:crypto").Hash} hash
 * @param {string} root
 * @param {string} file
 */
function addFile(hash, root, file) {
  const stats = statSync(`${root}/${file}`, { throwIfNoEntry: false });
  // Whole seconds: images of containers keep no more.
  if (stats) hash.update(`${file} ${stats.size} ${Math.floor(stats.mtimeMs / 1000)}\n`);
}
