import { runCommand } from "./run-command.ts";

/** For a whole file, on a busy machine. */
const timeoutMs = 300_000;
/** Of one test, unless it says otherwise itself. */
const timeoutOfTestSeconds = 120;

export interface TestRun {
  /** As `tap run --reporter=tap` writes it: a block for each file, and the counts at the end. */
  readonly tap: string;
  readonly isWell: boolean;
}

interface FileRun {
  readonly block: string;
  readonly passed: number;
  readonly failed: number;
}

/**
 * Runs test files, each in a process of its own, so many at the same time. They are run by Node.js as it is: `tap run` would
 * load each module by hooks, which took more of the processor than the tests themselves.
 * @param files relative to the folder
 */
export async function runTestFiles(root: string, files: readonly string[], jobs: number): Promise<TestRun> {
  const waiting = [...files];
  const runs: FileRun[] = [];
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      runs.push(await runFile(root, file));
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  const [passed, failed] = [total(runs, "passed"), total(runs, "failed")];
  const counts = `# { total: ${passed + failed}, pass: ${passed}, fail: ${failed} }`;
  return { tap: [...runs.map(({ block }) => block), counts].join("\n"), isWell: failed === 0 };
}

function total(runs: readonly FileRun[], count: "passed" | "failed"): number {
  return runs.reduce((sum, run) => sum + run[count], 0);
}

async function runFile(root: string, file: string): Promise<FileRun> {
  const env = { TAP_TIMEOUT: String(timeoutOfTestSeconds) };
  const run = await runCommand(root, ["node", file], { env, timeoutMs });
  const { code, output, complaints, tookMs } = run;
  const counts = /^# \{ total: [0-9]+, pass: ([0-9]+)(?:, fail: ([0-9]+))?/m.exec(output);
  const failed = Number(counts?.[2] ?? 0);
  const isWell = code === 0 && counts !== null && failed === 0;
  const lines = isWell ? output : `${output}\n${complaints}`;
  const outcome = `${isWell ? "ok" : "not ok"} 1 - ${file} # time=${tookMs}ms`;
  return {
    block: [`# Subtest: ${file}`, ...lines.split("\n").map((line) => `    ${line}`), outcome].join("\n"),
    passed: Number(counts?.[1] ?? 0),
    failed: isWell ? 0 : Math.max(failed, 1),
  };
}
