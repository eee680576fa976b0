import { systemClock } from "../telemetry/clock.ts";
import { type CommandArguments, type CommandOption, numberOption, type Terminal } from "./command.ts";
import { ProgressBar } from "./progress-bar.ts";

const mebibyte = 1024 * 1024;
/** See "What it costs" in docs/backup.md. */
const defaultRateMib = 64;

/** The options of everything that reads or writes a whole backup. */
export const workOptions = {
  "max-rate": {
    type: "string",
    argument: "MIB",
    description: `Read at most so many MiB a second, so that others have the disk too; ${defaultRateMib} without it.`,
  },
  json: { type: "boolean", description: "Print the result as one JSON object, for scripts." },
} as const satisfies Record<string, CommandOption>;

/** What the options say about how to work; the bar goes when it is disposed of. @throws UsageError */
export function workOf(given: CommandArguments, terminal: Terminal): BackupCommandWork {
  const progress = new ProgressBar(terminal, systemClock);
  return {
    progress,
    bytesPerSecond: (numberOption(given, "max-rate", 1) ?? defaultRateMib) * mebibyte,
    [Symbol.dispose]: () => progress[Symbol.dispose](),
  };
}

interface BackupCommandWork extends Disposable {
  readonly progress: ProgressBar;
  readonly bytesPerSecond: number;
}
