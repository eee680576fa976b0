import { performance } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Clock } from "./clock.ts";
import { boundHeapGrowth } from "./heap-growth.ts";

type CollectGarbage = (options: { type: "major"; execution: "sync"; flavor: "last-resort" }) => void;

/** V8's compilers of hot code, all but the first and quickest. */
const optimisers = ["opt", "maglev"];

/** Those who wait for the server to be there are answered first. */
const settleMs = 1_000;
/** Of the time since it was last looked: a server that does more than this has somebody whom a pause would hold up. */
const idleShare = 0.2;

/**
 * Has V8 leave code as it is until `allowOptimisation`: what a start does it does once, and the optimising compilers would
 * stay in memory with 10 MiB before anybody has asked for anything.
 */
export function postponeOptimisation(): void {
  for (const name of optimisers) setFlagsFromString(`--no-${name}`);
}

/** To be called before the first request: what has become hot meanwhile would be slow for long. */
export function allowOptimisation(): void {
  for (const name of optimisers) setFlagsFromString(`--${name}`);
}

/**
 * Gives back the memory that starting took, once the start is over and little is asked for: loading the program leaves
 * about 20 MiB of garbage and of room for it, which V8 would keep for as long as an idle server gives it no reason to
 * collect. That stops everything else for a twentieth of a second.
 * @returns to be disposed of when the server ends
 */
export function releaseStartupMemory(clock: Clock): Disposable {
  let before = performance.eventLoopUtilization();
  const look = () => {
    const now = performance.eventLoopUtilization();
    const isIdle = performance.eventLoopUtilization(now, before).utilization < idleShare;
    before = now;
    if (isIdle) collectAllGarbage();
    else timer = clock.setTimer(settleMs, look);
  };
  let timer = clock.setTimer(settleMs, look);
  return { [Symbol.dispose]: () => timer.cancel() };
}

function collectAllGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as CollectGarbage;
  setFlagsFromString("--no-expose-gc");
  using _growth = boundHeapGrowth();
  collectGarbage({ type: "major", execution: "sync", flavor: "last-resort" });
}
