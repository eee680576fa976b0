import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../spec-tests/support/free-port.ts";
import { until } from "../../spec-tests/support/within.ts";

const root = join(import.meta.dirname, "../..");
const sources = process.env["BENCH_HARNESS_DIR"] ?? join(root, "../shared/bench");
const startTimeoutMs = 60_000;
const defaultOptions = ["-scale", "0.4", "-seconds", "6", "-concurrency", "16"];

/** What this program was given for the harness, or what is measured when nothing else is said. */
export const harnessOptions: readonly string[] =
  process.argv.length > 2 ? process.argv.slice(2) : defaultOptions;

/**
 * Builds the load harness.
 * @returns its program, or `undefined` where its sources are not there, which is said
 */
export function buildHarness(folder: string): string | undefined {
  if (!existsSync(sources)) {
    process.stdout.write(`Skipped: the load harness is not there (${sources}), so nothing is measured.\n`);
    return undefined;
  }
  const harness = join(folder, "hsbench");
  const built = spawnSync("go", ["build", "-o", harness, "."], { cwd: sources, stdio: "inherit" });
  if (built.status !== 0) throw new Error("the load harness could not be built: is Go installed?");
  return harness;
}

/**
 * Runs the harness while this program goes on: a server whose output is not taken stops. Failed operations are the table's
 * to show: the other figures still count.
 */
export async function runHarness(harness: string, args: readonly string[]): Promise<void> {
  const [status] = (await once(spawn(harness, args, { stdio: "inherit" }), "exit")) as [number | null];
  if (status === 2 || status === null) throw new Error("the load harness measured nothing");
}

/** A server that can be started for the harness. */
export interface MeasuredHearth {
  readonly url: string;
  /** For a shell, whose process becomes the server's. */
  readonly command: string;
}

/** A fresh database, and everything as `npm start` and a deployment would have it but for the rate limits. */
export async function prepareHearth(folder: string): Promise<MeasuredHearth> {
  const config = join(folder, "bench.yaml");
  const port = await freePort();
  const lines = [
    "server_name: localhost",
    `data_dir: ${join(folder, "data")}`,
    `listeners: [{ bind: 127.0.0.1, port: ${port}, apis: [client, federation, admin] }]`,
    "registration: { mode: open }",
    "rate_limits: { enabled: false }",
    "log: { level: warn, format: json }",
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: { start: string };
  };
  const command = `cd '${root}' && ${scripts.start} --config '${config}'`;
  return { url: `http://127.0.0.1:${port}`, command };
}

/**
 * Runs the server while it is measured, and ends it.
 * @param env what its environment has besides
 */
export async function withHearth(
  { url, command }: MeasuredHearth,
  measure: (pid: number) => Promise<void>,
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const server = spawn("sh", ["-c", command], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env },
  });
  const ended = once(server, "exit");
  try {
    await until(startTimeoutMs, "the server to answer", () => answers(url), 50);
    await measure(server.pid ?? 0);
  } finally {
    server.kill("SIGTERM");
    await ended;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/_matrix/client/versions`)).ok;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Not listening yet.
    return false;
  }
}
