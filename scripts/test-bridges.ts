// `npm run test:bridges`: holds the application service API to mautrix-python, a framework that bridges are made with. It is
// installed from the Python Package Index into a folder of its own; where that cannot be done the test is skipped, in words.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const folder = join(root, "node_modules/.cache/bridges");
const python = join(folder, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
const framework = "mautrix[encryption]==0.21.1";
const installTimeoutMs = 300_000;

/** Returns why it did not work, or `undefined`. */
function attempt(program: string, words: readonly string[]): string | undefined {
  const { status, error, stderr } = spawnSync(program, words, {
    encoding: "utf8",
    timeout: installTimeoutMs,
  });
  if (status === 0) return undefined;
  return error?.message ?? stderr.trim().split("\n").at(-1) ?? `${program} ended with ${status}`;
}

function install(): string | undefined {
  const isThere = existsSync(python) && attempt(python, ["-c", "import mautrix.crypto"]) === undefined;
  if (isThere) return undefined;
  return (
    attempt("python3", ["-m", "venv", folder]) ??
    attempt(python, ["-m", "pip", "install", "--quiet", framework])
  );
}

const fault = install();
if (fault === undefined) {
  const words = [join(root, "spec-tests/bridges/mautrix.ts"), python];
  const env = { ...process.env, TAP_TIMEOUT: "300" };
  process.exitCode = spawnSync(process.execPath, words, { cwd: root, env, stdio: "inherit" }).status ?? 1;
} else {
  console.log(`Skipped: ${framework} cannot be installed here (${fault}).`);
}
