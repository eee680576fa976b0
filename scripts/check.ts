// What `npm test` runs: every check of the source, then every test. It is quiet about what is well, tells in full what is
// not, and ends with "N passed, N failed", which counts the assertions of the tests and each check.
// `npm test -- src/config` runs the tests of that folder only.
import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type Outcome, runCommand } from "./run-command.ts";
import { summariseTap } from "./tap-output.ts";
import { runTestFiles } from "./test-files.ts";

const root = join(import.meta.dirname, "..");

const checks: Readonly<Record<string, readonly string[]>> = {
  types: ["tsc", "--noEmit"],
  "types of the console": ["tsc", "--noEmit", "--project", "src/console"],
  lint: ["oxlint", "--type-aware", "--deny-warnings"],
  format: ["biome", "format", "."],
  "import rules": ["node", "scripts/import-rules.ts"],
  "unused code": ["knip"],
  build: ["node", "scripts/build.ts"],
};

function report(isWell: boolean, name: string, tookMs: number, details = ""): void {
  console.log(`${isWell ? "ok    " : "FAILED"}  ${name} (${(tookMs / 1000).toFixed(1)} s)`);
  if (!isWell && details.trim() !== "") console.log(`\n${details.trimEnd()}\n`);
}

function detailsOf({ output, complaints }: Outcome): string {
  return `${output}\n${complaints}`;
}

async function runChecks(): Promise<{ passed: number; failed: number }> {
  const outcomes = await Promise.all(
    Object.entries(checks).map(async ([name, command]) => {
      const outcome = await runCommand(root, command);
      report(outcome.code === 0, name, outcome.tookMs, detailsOf(outcome));
      return outcome.code === 0;
    }),
  );
  const passed = outcomes.filter(Boolean).length;
  return { passed, failed: outcomes.length - passed };
}

const folders = ["src", "spec-tests", "scripts"];

async function runTests(paths: readonly string[]): Promise<{ passed: number; failed: number }> {
  // tap's test class has to be made once with the plugins of .taprc; without it tap runs no test at all.
  const built = await runCommand(root, ["tap", "build"]);
  if (built.code !== 0) {
    report(false, "tap build", built.tookMs, detailsOf(built));
    return { passed: 0, failed: 1 };
  }
  const files = paths.flatMap((path) => globSync([path, `${path}/**/*.test.ts`], { cwd: root }));
  const testFiles = files.filter((file) => file.endsWith(".test.ts"));
  const startMs = performance.now();
  // A test waits for disks and timers half of its time.
  const { tap, isWell } = await runTestFiles(root, testFiles, 2 * availableParallelism());
  const tookMs = performance.now() - startMs;
  const { passed, failed, failures, skipped, slowest } = summariseTap(tap);
  report(isWell, "tests", tookMs, failures.join("\n\n"));
  for (const { file, seconds: own } of slowest) console.log(`        slow     ${file} (${own.toFixed(1)} s)`);
  for (const reason of skipped) console.log(`        skipped  ${reason}`);
  return { passed, failed: isWell ? 0 : Math.max(failed, 1) };
}

const asked = process.argv.slice(2);
const results = [await runChecks(), await runTests(asked.length > 0 ? asked : folders)];
const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
