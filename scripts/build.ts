// Makes the package in dist/: JavaScript and types, without the tests.
import { spawnSync } from "node:child_process";
import { chmodSync, rmSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
rmSync(join(root, "dist"), { recursive: true, force: true });
const { status } = spawnSync("tsc", ["--project", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit",
  shell: process.platform === "win32",
});
if (status !== 0) process.exit(status ?? 1);
// npm makes a package's programs executable when it installs them; this is for those who run dist/ as it is.
chmodSync(join(root, "dist/main.js"), 0o755);
