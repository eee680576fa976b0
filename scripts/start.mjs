// `npm start`: runs the server from dist/ (scripts/bundle.ts), made anew when the source or a package has changed since.
// JavaScript, because it should begin at once.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { sourceStamp, stampFile } from "./source-stamp.mjs";

// As the server itself does when it starts (src/telemetry/startup-memory.ts): looking at all files would be optimised.
setFlagsFromString("--no-opt");
setFlagsFromString("--no-maglev");

const root = resolve(import.meta.dirname, "..");
const main = join(root, "dist/main.js");

if (bundledStamp() !== sourceStamp(root)) {
  const { status } = spawnSync(process.execPath, [join(root, "scripts/build.ts"), "--no-types"], {
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? 1);
}
process.argv[1] = main;
await import(pathToFileURL(main).href);

/** What dist/ is made of; nothing when it is not there. */
function bundledStamp() {
  const file = join(root, "dist", stampFile);
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}
