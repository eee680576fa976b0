// Measures Hearth with the load harness in ../shared/bench: `npm run bench [-- options of hsbench]`.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  buildHarness,
  harnessOptions,
  type MeasuredHearth,
  prepareHearth,
  runHarness,
  withHearth,
} from "./bench/harness.ts";

const folder = mkdtempSync(join(tmpdir(), "hearth-bench-"));
try {
  const harness = buildHarness(folder);
  if (harness !== undefined) {
    const server = await prepareHearth(folder);
    await runHarness(harness, ["-cold", "-start", server.command, ...common(server), "-scenario", "none"]);
    rmSync(join(folder, "data"), { recursive: true });
    await measure(harness, server);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function common({ url }: MeasuredHearth): string[] {
  return ["-target", url, "-reg", "dummy", "-label", "hearth"];
}

async function measure(harness: string, server: MeasuredHearth): Promise<void> {
  const delayFile = join(folder, "loop-delay.json");
  await withHearth(
    server,
    (pid) => runHarness(harness, [...common(server), "-pid", String(pid), ...harnessOptions]),
    {
      NODE_OPTIONS: `--import=${join(import.meta.dirname, "bench/loop-delay.mjs")}`,
      BENCH_LOOP_DELAY: delayFile,
    },
  );
  const delay = JSON.parse(readFileSync(delayFile, "utf8")) as { p50: number; p99: number; max: number };
  process.stdout.write(
    `\nEvent-loop delay over the run: p50 ${delay.p50} ms, p99 ${delay.p99} ms, maximum ${delay.max} ms\n`,
  );
}
