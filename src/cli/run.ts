import { parseArgs } from "node:util";
import { BackupError } from "../backup/backup-error.ts";
import { ConfigError } from "../config/config-error.ts";
import { nearest } from "../config/nearest.ts";
import { StartupError } from "../config/startup-error.ts";
import { MatrixError } from "../protocol/matrix-error.ts";
import { version } from "../version.ts";
import { backup } from "./backup.ts";
import { backupVerify } from "./backup-verify.ts";
import { type Command, type Terminal, UsageError } from "./command.ts";
import { configCheck } from "./config-check.ts";
import { configExample } from "./config-example.ts";
import { backupExitCodes, exitCodes, startupExitCodes } from "./exit-codes.ts";
import { commandHelp, generalHelp, usage } from "./help.ts";
import { restore } from "./restore.ts";
import { start } from "./start.ts";
import { userCreate } from "./user-create.ts";

const commands: readonly Command[] = [
  start,
  userCreate,
  backup,
  backupVerify,
  restore,
  configCheck,
  configExample,
];

/**
 * Runs one `hearth` command. Whatever fails is told on `terminal.errors`.
 *
 * @param words the command line without the program's name
 * @returns the exit code, one of `exitCodes`
 */
export async function run(words: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await dispatch(words, terminal);
  } catch (error) {
    const { code, text } = explain(error);
    terminal.errors.write(`hearth: ${text}\n`);
    return code;
  }
}

async function dispatch(words: readonly string[], terminal: Terminal): Promise<number> {
  const [first, second] = words;
  if (first === "--version" || first === "-v") {
    terminal.output.write(`hearth ${version}\n`);
    return exitCodes.success;
  }
  if (first === undefined || first === "help" || first === "--help" || first === "-h") {
    terminal.output.write(generalHelp(commands));
    return exitCodes.success;
  }
  const named = (name: string) => commands.find((command) => command.name === name);
  const command = named(`${first} ${second}`) ?? named(first);
  if (!command) throw unknownCommand(first, second);
  const rest = words.slice(command.name.split(" ").length);
  if (rest.includes("--help") || rest.includes("-h")) {
    terminal.output.write(commandHelp(command));
    return exitCodes.success;
  }
  return command.run(parse(command, rest), terminal);
}

function unknownCommand(first: string, second: string | undefined): UsageError {
  const names = commands.map(({ name }) => name);
  const group = names.filter((name) => name.startsWith(`${first} `));
  if (group.length > 0) {
    return new UsageError(
      `After "${first}" comes one of: ${group.map((name) => name.split(" ")[1]).join(", ")}.`,
    );
  }
  const meant = nearest(first, names) ?? nearest(`${first} ${second}`, names);
  const hint = meant ? `Did you mean ${meant}?` : "Run `hearth --help` for the list.";
  return new UsageError(`There is no command "${first}". ${hint}`);
}

function parse(command: Command, words: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { type }]) => [name, { type }]),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...words], options, allowPositionals: true });
    const missing = command.positionals[positionals.length];
    if (missing) throw new UsageError(`${missing} is missing. Usage: ${usage(command)}`);
    const surplus = positionals[command.positionals.length];
    if (surplus !== undefined)
      throw new UsageError(`"${surplus}" is one word too many. Usage: ${usage(command)}`);
    return { options: values, positionals };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // The sentences of parseArgs say what is wrong; what follows on the first is about option parsing in general.
    throw new UsageError(`${error.message.split(". ")[0]}. Usage: ${usage(command)}`);
  }
}

function explain(error: unknown): { code: number; text: string } {
  if (error instanceof UsageError) return { code: exitCodes.usage, text: error.message };
  if (error instanceof ConfigError) return { code: exitCodes.badConfig, text: error.message };
  if (error instanceof StartupError) return { code: startupExitCodes[error.reason], text: error.message };
  if (error instanceof BackupError) return { code: backupExitCodes[error.reason], text: error.message };
  if (error instanceof MatrixError) return { code: exitCodes.refused, text: error.message };
  const details = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    code: exitCodes.failure,
    text: `This failure is unknown to Hearth, please report it:\n${details}`,
  };
}
