import { setTimeout as delay } from "node:timers/promises";
import { processorMs, report } from "../report.ts";

/** One operation on a server, of which many are measured. */
export interface Case {
  readonly name: string;
  /** Of the server's process. */
  readonly pid: number;
  readonly operate: () => Promise<unknown>;
}

const clients = 16;
const turns = 9;
const quietMs = 150;
/** Of a server that has nothing to do; its timers may take some. */
const idleProcessorMs = 10;

/**
 * Measures two cases by turns, so that both have the same share of a busy machine, and tells what one operation of each
 * takes of the processors, with what it leaves to be done in the background. Each is the median of the turns.
 * @param operations in each turn
 */
export async function compare(few: Case, many: Case, operations: number): Promise<void> {
  const costs = new Map<Case, number[]>([
    [few, []],
    [many, []],
  ]);
  for (const measured of costs.keys()) await costOf(measured, operations);
  for (let turn = 0; turn < turns; turn++) {
    for (const [measured, taken] of costs) taken.push(await costOf(measured, operations));
  }
  const [fewMs = Number.NaN, manyMs = Number.NaN] = [...costs.values()].map(median);
  report(`${few.name}: ${fewMs.toFixed(3)} ms of processor time`);
  report(`${many.name}: ${manyMs.toFixed(3)} ms of processor time, ratio ${(manyMs / fewMs).toFixed(2)}`);
}

/** Does something `count` times, as many at once as there are clients. */
export async function times(count: number, operate: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const client = async () => {
    while (next < count) await operate(next++);
  };
  await Promise.all(Array.from({ length: clients }, client));
}

/** Waits until a server does nothing more. */
async function settled(pid: number): Promise<void> {
  let before = processorMs(pid);
  for (;;) {
    await delay(quietMs);
    const after = processorMs(pid);
    if (after - before <= idleProcessorMs) return;
    before = after;
  }
}

/** Processor time of one operation, in milliseconds. */
async function costOf({ pid, operate }: Case, operations: number): Promise<number> {
  await settled(pid);
  const before = processorMs(pid);
  await times(operations, operate);
  await settled(pid);
  return (processorMs(pid) - before) / operations;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
