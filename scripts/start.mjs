// `npm start`: runs the server from a bundle (scripts/bundle.ts), which is made when the source or a package has changed;
// then the console (scripts/console.ts) is built too, once the server runs.
// JavaScript, because it should begin at once.
import { spawn, spawnSync } from "node:child_process";
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

/** The server is there by then, and has answered those who waited for it. */
const consoleDelayMs = 3_000;

if (!existsSync(main)) {
  const { status } = spawnSync(process.execPath, [join(root, "scripts/build.ts"), folder], {
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? 1);
}
if (!existsSync(join(folder, "console"))) {
  const build = () => {
    const words = [join(root, "scripts/build.ts"), folder, "--console"];
    const building = spawn(process.execPath, words, { stdio: ["ignore", "inherit", "inherit"] });
    process.once("exit", () => building.kill());
  };
  setTimeout(build, consoleDelayMs).unref();
}
process.argv[1] = main;
await import(pathToFileURL(main).href);
