// Makes the package in dist/: the bundle, the console, and the types for those who import it. Given a folder, only the bundle
// in there, or with --console only the console beside the bundle that is in there.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, rmSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bundle } from "./bundle.ts";
import { buildConsole } from "./console.ts";
import { bundleFolder } from "./source-stamp.mjs";

const root = join(import.meta.dirname, "..");
const { positionals, values } = parseArgs({
  options: { console: { type: "boolean", default: false } },
  allowPositionals: true,
});
const [folder] = positionals;
if (folder === undefined) {
  await makePackage();
} else if (values.console) {
  // A server has just been started, which comes first.
  setPriority(constants.priority.PRIORITY_LOW);
  await buildConsole(join(folder, "console"));
} else {
  await bundle(folder);
}

async function makePackage(): Promise<void> {
  const dist = join(root, "dist");
  const bundled = bundleFolder(root);
  await bundle(bundled);
  rmSync(dist, { recursive: true, force: true });
  cpSync(bundled, dist, { recursive: true });
  // The bundle may bring the console along that a start has built.
  if (!existsSync(join(dist, "console"))) await buildConsole(join(dist, "console"));
  const { status } = spawnSync("tsc", ["--project", "tsconfig.build.json"], {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  process.exitCode = status ?? 1;
}
