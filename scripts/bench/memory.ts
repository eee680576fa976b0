// Measures whether memory grows while users do what they do all day: `npm run bench:memory [-- seconds]` runs the mixed load of
// the harness and tells the server's memory in each tenth of it, and how much more there is at the end than in the middle.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildHarness, prepareHearth, runHarness, withHearth } from "./harness.ts";
import { report } from "./report.ts";

const seconds = Number(process.argv[2] ?? 240);
const tenths = 10;
const sampleEveryMs = 250;

const folder = mkdtempSync(join(tmpdir(), "hearth-memory-"));
try {
  const harness = buildHarness(folder);
  if (harness !== undefined) {
    const server = await prepareHearth(folder);
    await withHearth(server, async (pid) => {
      const samples: number[] = [];
      const timer = setInterval(() => samples.push(residentMib(pid)), sampleEveryMs);
      const options = ["-target", server.url, "-pid", String(pid), "-label", "hearth", "-scale", "0.4"];
      await runHarness(harness, [...options, "-scenario", "mixed", "-seconds", String(seconds)]);
      clearInterval(timer);
      tell(samples);
    });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** @param samples in MiB, of which the last ones are of the load, and those before of its preparation */
function tell(samples: readonly number[]): void {
  const measured = samples.slice(-(seconds * 1_000) / sampleEveryMs);
  const means = Array.from({ length: tenths }, (_, tenth) => {
    const part = measured.slice((tenth * measured.length) / tenths, ((tenth + 1) * measured.length) / tenths);
    return part.reduce((sum, mib) => sum + mib, 0) / part.length;
  });
  const growth = (means.at(-1) ?? NaN) / (means[tenths / 2] ?? NaN) - 1;
  report(`\nMiB on average in each tenth: ${means.map((mib) => mib.toFixed(0)).join(" ")}`);
  report(`Growth in the second half: ${(growth * 100).toFixed(1)} %`);
}

/** Of Linux: what a process has in memory. */
function residentMib(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) / 1024;
}
