// Makes the package in dist/: the bundle, and the types for those who import it. Given a folder, only the bundle in there.
import { spawnSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bundle } from "./bundle.ts";
import { bundleFolder } from "./source-stamp.mjs";

const root = join(import.meta.dirname, "..");
const [folder] = process.argv.slice(2);
await (folder === undefined ? makePackage() : bundle(folder));

async function makePackage(): Promise<void> {
  const dist = join(root, "dist");
  const bundled = bundleFolder(root);
  await bundle(bundled);
  rmSync(dist, { recursive: true, force: true });
  cpSync(bundled, dist, { recursive: true });
  const { status } = spawnSync("tsc", ["--project", "tsconfig.build.json"], {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  process.exitCode = status ?? 1;
}
