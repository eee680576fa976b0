import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { boundHeapGrowth } from "./heap-growth.ts";

type CollectGarbage = (options: { type: "major"; execution: "sync"; flavor: "last-resort" }) => void;

/** V8's compilers of hot code, all but the first and quickest. */
const optimisers = ["opt", "maglev"];

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
 * Gives back the memory that starting took, once the start is over: loading the program leaves about 20 MiB of garbage
 * and of room for it, which V8 would keep for as long as an idle server gives it no reason to collect.
 */
export function releaseStartupMemory(): void {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as CollectGarbage;
  setFlagsFromString("--no-expose-gc");
  using _growth = boundHeapGrowth();
  collectGarbage({ type: "major", execution: "sync", flavor: "last-resort" });
}
