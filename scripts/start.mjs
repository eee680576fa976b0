// `npm start`: runs the server from a bundle (scripts/bundle.ts), which is made when the source or a package has changed.
// JavaScript, because it should begin at once.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { bundleFolder } from "./source-stamp.mjs";

// As the server itself does when it starts (src/telemetry/startup-memory.ts): looking at all files would be optimised.
setFlagsFromString("--no-opt");
setFlagsFromString("--no-maglev");

const root = resolve(import.meta.dirname, "..");
const folder = bundleFolder(root);
const main = join(folder, "main.js");

if (!existsSync(main)) {
  const { status } = spawnSync(process.execPath, [join(root, "scripts/build.ts"), folder], {
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? 1);
}
process.argv[1] = main;
await import(pathToFileURL(main).href);
