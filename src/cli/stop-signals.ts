import type { EventEmitter } from "node:events";
import { constants } from "node:os";
import type { Clock } from "../telemetry/clock.ts";

export type StopSignal = "SIGINT" | "SIGTERM";
const stopSignals: readonly StopSignal[] = ["SIGINT", "SIGTERM"];

/** npm passes on the signal that the terminal sends to every process, so that Ctrl-C comes twice. */
const sameKeypressMs = 500;

/** The two times that somebody asks this process to stop: `first` kindly, `second` at once. */
export function awaitStopSignals(
  signals: EventEmitter,
  clock: Clock,
): { first: Promise<StopSignal>; second: Promise<StopSignal> } {
  const first = Promise.withResolvers<StopSignal>();
  const second = Promise.withResolvers<StopSignal>();
  let firstMs: number | undefined;
  for (const signal of stopSignals) {
    signals.on(signal, () => {
      firstMs ??= clock.monotonicMs();
      first.resolve(signal);
      if (clock.monotonicMs() - firstMs > sameKeypressMs) second.resolve(signal);
    });
  }
  return { first: first.promise, second: second.promise };
}

/** The exit code that shells give a process which a signal ended. */
export function signalExitCode(signal: StopSignal): number {
  return 128 + constants.signals[signal];
}
