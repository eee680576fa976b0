import type { ChildProcess } from "node:child_process";

/** What ends a test before it is done: its time limit, a terminal that goes, and whoever stops it. */
const endings = ["SIGALRM", "SIGHUP", "SIGINT", "SIGTERM"] as const;

const children = new Set<ChildProcess>();

process.once("exit", killAll);
for (const signal of endings) {
  process.once(signal, () => {
    killAll();
    // It does now what it would have done.
    process.kill(process.pid, signal);
  });
}

/** Has a child killed when this process ends, however it does but by SIGKILL. */
export function endWithTest(child: ChildProcess): void {
  children.add(child);
  child.once("exit", () => children.delete(child));
}

function killAll(): void {
  for (const child of children) child.kill("SIGKILL");
}
