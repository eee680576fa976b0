// `npm start`: runs the server from dist/ (scripts/bundle.ts), made anew when the source or a package has changed since.
// JavaScript, because it should begin at once.
import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";

// As the server itself does when it starts (src/telemetry/startup-memory.ts): looking at all files would be optimised.
setFlagsFromString("--no-opt");
setFlagsFromString("--no-maglev");

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

/** When anything that goes into the bundle was last changed. */
function newestMs() {
  const others = ["package.json", "package-lock.json", "scripts/bundle.ts"];
  return Math.max(newestInMs(join(root, "src")), ...others.map((file) => changedMs(join(root, file))));
}

/**
 * A folder changes with the files that it has.
 * @param {string} folder
 * @returns {number}
 */
function newestInMs(folder) {
  let newest = changedMs(folder);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    newest = Math.max(newest, entry.isDirectory() ? newestInMs(path) : changedMs(path));
  }
  return newest;
}

/**
 * @param {string} file
 * @returns {number} 0 when it is not there
 */
function changedMs(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
