import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** A package of the Python Package Index. */
interface PythonPackage {
  /** What pip is to install. */
  readonly requirement: string;
  /** What can be imported where it is there. */
  readonly module: string;
}

const root = join(import.meta.dirname, "../..");
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

/**
 * Installs a package, where it is not there yet, into a folder of its own.
 * @param name of the folder, among what is kept between runs
 * @returns the Python that has it, or `undefined` where it cannot be installed, which is said
 */
export function pythonWith(name: string, { requirement, module }: PythonPackage): string | undefined {
  const folder = join(root, "node_modules/.cache", name);
  const python = join(folder, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
  const lack = () => attempt(python, ["-c", `import ${module}`]);
  if (existsSync(python) && lack() === undefined) return python;
  const fault =
    attempt("python3", ["-m", "venv", folder]) ??
    attempt(python, ["-m", "pip", "install", "--quiet", requirement]) ??
    lack();
  if (fault === undefined) return python;
  console.log(`Skipped: ${requirement} cannot be installed here (${fault}).`);
  return undefined;
}

/** Runs a test file of the folder `spec-tests`, and ends as it does. */
export function runTests(
  file: string,
  words: readonly string[],
  timeoutS: number,
  more: Record<string, string> = {},
): void {
  const env = { ...process.env, TAP_TIMEOUT: String(timeoutS), ...more };
  const { status } = spawnSync(process.execPath, [join(root, "spec-tests", file), ...words], {
    cwd: root,
    env,
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}
