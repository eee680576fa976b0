// `npm start`: runs the server from dist/ (scripts/bundle.ts), made anew when the source or a package has changed since.
// JavaScript, because it should begin at once.
import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const root = resolve(import.meta.dirname, "..");
const main = join(root, "dist/main.js");

if (newestMs() > changedMs(main)) {
  const { status } = spawnSync(process.execPath, [join(root, "scripts/build.ts"), "--no-types"], {
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? 1);
}
process.argv[1] = main;
await import(pathToFileURL(main).href);

/** When anything that goes into the bundle was last changed; a folder changes with the files that it has. */
function newestMs() {
  const source = join(root, "src");
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).map((file) => join(source, file));
  const others = ["package.json", "package-lock.json", "scripts/bundle.ts"].map((file) => join(root, file));
  return Math.max(changedMs(source), ...[...files, ...others].map(changedMs));
}

/**
 * @param {string} file
 * @returns {number} 0 when it is not there
 */
function changedMs(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
