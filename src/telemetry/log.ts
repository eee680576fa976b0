import {
  type DestinationStream,
  destination,
  type Logger,
  type LoggerOptions,
  pino,
  stdTimeFunctions,
} from "pino";
import type { Config } from "../config/schema.ts";
import { redactLine } from "./redact.ts";

export type { Logger } from "pino";

/**
 * The server's log, on standard output: JSON, one object a line, or text for people. Whatever is logged passes
 * `redactLine`.
 *
 * @param config its `auto` means text for people on a terminal, JSON otherwise
 * @param output what standard output is: a terminal or not, one that shows colours or not
 */
export async function createLog(
  config: Config["log"],
  output: { isTerminal: boolean; hasColours: boolean },
): Promise<Logger> {
  const stream = isPretty(config, output.isTerminal)
    ? await prettyStream(output.hasColours)
    : destination({ fd: 1, sync: false });
  return createLogTo(stream, config.level);
}

/** A log to a stream of the caller's choice, such as one that a test reads. */
export function createLogTo(stream: DestinationStream, level: Config["log"]["level"]): Logger {
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    hooks: { streamWrite: redactLine },
  };
  return pino(options, stream);
}

/** Whether the log is text for people. */
export function isPretty(config: Config["log"], isTerminal: boolean): boolean {
  return config.format === "pretty" || (config.format === "auto" && isTerminal);
}

/** In this process and loaded only here, so that a server that logs JSON pays nothing for it. */
async function prettyStream(colorize: boolean): Promise<DestinationStream> {
  const { default: pretty } = await import("pino-pretty");
  return pretty({ colorize, translateTime: "SYS:HH:MM:ss.l", sync: true });
}
