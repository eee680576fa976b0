// Makes the package in dist/: the bundle and, but for `--no-types`, the types for those who import it.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { bundle } from "./bundle.ts";

const root = join(import.meta.dirname, "..");
await bundle(join(root, "dist"));
if (!process.argv.includes("--no-types")) {
  const { status } = spawnSync("tsc", ["--project", "tsconfig.build.json"], {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  process.exitCode = status ?? 1;
}
