// `npm run test:peers`: this server and a real Synapse, over TLS. Synapse is installed from the Python Package Index into a
// folder of its own; where that cannot be done the test is skipped, in words. Some of the suites:
// `npm run test:peers -- rooms history`. KEEP_LOGS names a folder that their logs go to.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const folder = join(root, "node_modules/.cache/synapse");
const python = join(folder, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
const synapse = "matrix-synapse==1.163.2";
const installTimeoutMs = 600_000;

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
  const isThere =
    existsSync(python) && attempt(python, ["-c", "import synapse.app.homeserver"]) === undefined;
  if (isThere) return undefined;
  return (
    attempt("python3", ["-m", "venv", folder]) ??
    attempt(python, ["-m", "pip", "install", "--quiet", synapse])
  );
}

const fault = install();
if (fault === undefined) {
  const words = [join(import.meta.dirname, "suites.ts"), python, ...process.argv.slice(2)];
  const env = { ...process.env, TAP_TIMEOUT: "900" };
  process.exitCode = spawnSync(process.execPath, words, { cwd: root, env, stdio: "inherit" }).status ?? 1;
} else {
  console.log(`Skipped: ${synapse} cannot be installed here (${fault}).`);
}
