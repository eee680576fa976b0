import { spawn } from "node:child_process";
import { once } from "node:events";
import { delimiter, join } from "node:path";

export interface Outcome {
  /** `null` when it was ended by a signal. */
  readonly code: number | null;
  /** What it wrote to its standard output. */
  readonly output: string;
  /** What it wrote to its standard error. */
  readonly complaints: string;
  readonly tookMs: number;
}

export interface CommandOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** When it is ended; never unless said otherwise. */
  readonly timeoutMs?: number;
}

/**
 * Runs a program, in plain text, to its end.
 * @param root the folder of the repository: the programs of its packages are found first
 * @throws Error for a program that cannot be started
 */
export async function runCommand(
  root: string,
  [program = "", ...words]: readonly string[],
  { env, timeoutMs }: CommandOptions = {},
): Promise<Outcome> {
  const startMs = performance.now();
  const path = [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter);
  const child = spawn(program, words, {
    cwd: root,
    env: { ...process.env, ...env, PATH: path, NO_COLOR: "1", FORCE_COLOR: undefined },
    stdio: ["ignore", "pipe", "pipe"],
    // On Windows the programs in .bin are scripts of the shell.
    shell: process.platform === "win32",
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  let [output, complaints] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output, complaints, tookMs: performance.now() - startMs };
}
