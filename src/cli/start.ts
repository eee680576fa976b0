import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import type { HearthServer } from "../server.ts";
import { type Clock, systemClock } from "../telemetry/clock.ts";
import { createLog, isPretty, type Logger } from "../telemetry/log.ts";
import {
  allowOptimisation,
  postponeOptimisation,
  releaseStartupMemory,
} from "../telemetry/startup-memory.ts";
import { version } from "../version.ts";
import { type Command, configOption, type Terminal, textOption } from "./command.ts";
import { exitCodes } from "./exit-codes.ts";
import { awaitStopSignals, signalExitCode } from "./stop-signals.ts";

/** Shorter than the 30 seconds after which Kubernetes kills, so that the log tells what was not done in time. */
const drainTimeoutMs = 25_000;

/** `hearth start` */
export const start: Command = {
  name: "start",
  summary: "Starts the server.",
  details:
    "Starts the server in the foreground. Without a configuration it serves localhost on port 8008 and keeps its data in\n" +
    "./data; the database and the signing key are made at the first start. SIGTERM or Ctrl-C stops it when the requests in\n" +
    "flight are answered; a second one stops it at once. Nothing that was acknowledged is lost either way.",
  positionals: [],
  options: configOption,
  examples: [
    "hearth start",
    "hearth start --config hearth.yaml",
    "HEARTH_REGISTRATION__MODE=open hearth start",
  ],
  async run(given, terminal) {
    postponeOptimisation();
    const config = loadConfig({ file: textOption(given, "config"), environment: terminal.environment });
    const { output } = terminal;
    const isTerminal = output.isTTY === true;
    const log = await createLog(config.log, {
      isTerminal,
      hasColours: isTerminal && output.hasColors?.() === true,
    });
    // Loaded only here, so that the other commands answer at once.
    const { createServer } = await import("../server.ts");
    const server = await createServer(config, log);
    return serveUntilStopped(server, { config, log, terminal, clock: systemClock, drainTimeoutMs });
  },
};

/**
 * Serves until a signal comes, then drains: requests in flight are answered, long polls end, everything is on disk.
 *
 * @returns the exit code: success, drainTimeout, or that of the second signal
 */
export async function serveUntilStopped(
  server: HearthServer,
  parts: { config: Config; log: Logger; terminal: Terminal; clock: Clock; drainTimeoutMs: number },
): Promise<number> {
  const { config, log, terminal, clock } = parts;
  const { first, second } = awaitStopSignals(terminal.signals, clock);
  allowOptimisation();
  try {
    await server.listen();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  announce(server, config, log, terminal);
  using _release = releaseStartupMemory(clock);
  const signal = await Promise.race([first, server.lost]);
  if (signal instanceof Error) {
    log.fatal({ err: signal }, "Stopped: the database cannot be written any more");
    return exitCodes.databaseLost;
  }
  log.info({ signal }, "Stopping: answering the requests in flight. A second signal stops at once.");
  const late = Promise.withResolvers<number>();
  using _timer = clock.setTimer(parts.drainTimeoutMs, () => {
    log.error({ drainTimeoutMs: parts.drainTimeoutMs }, "Stopped although not everything had ended in time");
    late.resolve(exitCodes.drainTimeout);
  });
  return Promise.race([
    server[Symbol.asyncDispose]().then(() => {
      log.info("Stopped");
      return exitCodes.success;
    }),
    second.then(signalExitCode),
    late.promise,
  ]);
}

/** To people in words, to a log collector as a record. */
function announce(server: HearthServer, config: Config, log: Logger, terminal: Terminal): void {
  const { addresses } = server;
  const homeserver = config.public_base_url;
  const createAdmin = `${program(terminal)} user create NAME --admin`;
  if (!isPretty(config.log, terminal.output.isTTY === true)) {
    log.info(
      { version, serverName: config.server_name, addresses, homeserver, createAdmin },
      "Hearth is ready",
    );
    return;
  }
  const lines = [
    `Hearth ${version} serves ${config.server_name}`,
    ...addresses.map(({ url, apis }) => `  ${url}  (${apis.join(", ")})`),
    "",
    `Point a Matrix client such as Element at the homeserver ${homeserver}`,
    `Make the first administrator's account, in another terminal, with: ${createAdmin}`,
    "Stop with Ctrl-C.",
  ];
  terminal.output.write(`\n${lines.join("\n")}\n\n`);
}

/** How whoever started this process writes `hearth`. */
function program({ environment }: Terminal): string {
  return environment.npm_lifecycle_event === "start" ? "npm run hearth --" : "hearth";
}
