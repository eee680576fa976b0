import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { boundHeapGrowth } from "./heap-growth.ts";

type CollectGarbage = (options: { type: "major"; execution: "sync"; flavor: "last-resort" }) => void;

/**
 * Gives back the memory that starting took: loading the program leaves about 20 MiB of garbage and of room for it,
 * which V8 would keep for as long as an idle server gives it no reason to collect.
 */
export function releaseStartupMemory(): void {
  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as CollectGarbage;
  setFlagsFromString("--no-expose-gc");
  using _growth = boundHeapGrowth();
  collectGarbage({ type: "major", execution: "sync", flavor: "last-resort" });
}
