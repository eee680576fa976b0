// Measures Hearth with the load harness in ../shared/bench: `npm run bench [-- options of hsbench]`.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const harness = process.env["BENCH_HARNESS_DIR"] ?? join(root, "../shared/bench");
/** As `npm start` runs it. */
const program = [join(root, "scripts/node.mjs"), "scripts/start.mjs"];
const startTimeoutMs = 60_000;
/** Sliding sync is not served yet, and no thumbnails of other servers' sizes are measured here. */
const defaultOptions = ["-scale", "0.4", "-seconds", "6", "-concurrency", "16"];

if (!existsSync(harness)) {
  process.stdout.write(`The load harness is not there (${harness}): nothing was measured.\n`);
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), "hearth-bench-"));
try {
  const hsbench = buildHarness();
  const port = await freePort();
  const config = writeConfig(port);
  const serverCommand = [process.execPath, ...program, "start", "--config", config];
  run(hsbench, ["-cold", "-start", `exec ${serverCommand.join(" ")}`, ...common(port), "-scenario", "none"]);
  rmSync(join(folder, "data"), { recursive: true });
  await measure(hsbench, port, config);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function buildHarness(): string {
  const harnessProgram = join(folder, "hsbench");
  const built = spawnSync("go", ["build", "-o", harnessProgram, "."], { cwd: harness, stdio: "inherit" });
  if (built.status !== 0) throw new Error("the load harness could not be built: is Go installed?");
  return harnessProgram;
}

/** A fresh database, and everything as a deployment would have it but for the rate limits. */
function writeConfig(port: number): string {
  const file = join(folder, "bench.yaml");
  const listener = `{ bind: 127.0.0.1, port: ${port}, apis: [client, federation, admin] }`;
  const lines = [
    "server_name: localhost",
    `data_dir: ${join(folder, "data")}`,
    `listeners: [${listener}]`,
    "registration: { mode: open }",
    "rate_limits: { enabled: false }",
    "log: { level: warn, format: json }",
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}

function common(port: number): string[] {
  return ["-target", `http://127.0.0.1:${port}`, "-reg", "dummy", "-label", "hearth"];
}

async function measure(hsbench: string, port: number, config: string): Promise<void> {
  const delayFile = join(folder, "loop-delay.json");
  const preload = join(root, "scripts/bench/loop-delay.ts");
  const server = spawn(process.execPath, ["--import", preload, ...program, "start", "--config", config], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, BENCH_LOOP_DELAY: delayFile },
  });
  const ended = once(server, "exit");
  try {
    await answers(port);
    const options = process.argv.length > 2 ? process.argv.slice(2) : defaultOptions;
    run(hsbench, [...common(port), "-pid", String(server.pid), ...options]);
  } finally {
    server.kill("SIGTERM");
    await ended;
  }
  const delay = JSON.parse(readFileSync(delayFile, "utf8")) as { p50: number; p99: number; max: number };
  process.stdout.write(
    `\nEvent-loop delay over the run: p50 ${delay.p50} ms, p99 ${delay.p99} ms, maximum ${delay.max} ms\n`,
  );
}

/** Failed operations are the table's to show: the other figures still count. */
function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  if (status === 2 || status === null) throw new Error("the load harness measured nothing");
}

async function answers(port: number): Promise<void> {
  const deadline = performance.now() + startTimeoutMs;
  while (performance.now() < deadline) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/_matrix/client/versions`);
      if (response.ok) return;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      // Not listening yet.
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
  throw new Error("the server does not answer");
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  if (typeof address !== "object" || !address) throw new Error("no port is free");
  return address.port;
}
