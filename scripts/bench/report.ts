import { readFileSync } from "node:fs";

/** Of Linux: what /proc counts processor time in. */
const clockTicksPerSecond = 100;

export function report(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What all threads of a process have had of the processors: on a busy machine the measure of what work costs. */
export function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / clockTicksPerSecond;
}
