// Loaded into the measured server: says how long its event loop kept others waiting, at its end, and whenever it is sent
// SIGUSR2, from when on it counts anew. JavaScript, because what strips types would be in its memory.
import { writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

const file = process.env["BENCH_LOOP_DELAY"];
if (isMainThread && file !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const tell = () => {
    const ms = (/** @type {number} */ nanoseconds) => Number((nanoseconds / 1e6).toFixed(1));
    const figures = { p50: ms(delay.percentile(50)), p99: ms(delay.percentile(99)), max: ms(delay.max) };
    writeFileSync(file, JSON.stringify(figures));
    delay.reset();
  };
  process.on("SIGUSR2", tell);
  process.once("exit", tell);
}
