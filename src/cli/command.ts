import type { EventEmitter } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { Environment } from "../config/environment.ts";

/** What a command has to do with the world: the process's own streams, or a test's. */
export interface Terminal {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable & { readonly isTTY?: boolean; hasColors?(): boolean };
  readonly errors: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly environment: Environment;
  /** Emits SIGINT and SIGTERM. */
  readonly signals: EventEmitter;
}

export interface CommandOption {
  readonly type: "string" | "boolean";
  /** The name of its value in the help text, such as FILE. */
  readonly argument?: string;
  readonly description: string;
}

export interface CommandArguments {
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
}

export interface Command {
  /** One word or two, such as `user create`. */
  readonly name: string;
  /** Half a line for the list of commands. */
  readonly summary: string;
  /** Whole sentences for the help of this command. */
  readonly details: string;
  /** The names of the arguments that have to be given, such as NAME. */
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, CommandOption>>;
  readonly examples: readonly string[];
  /** @returns the exit code. Errors that are thrown are told to the user by `run`. */
  run(given: CommandArguments, terminal: Terminal): Promise<number>;
}

/** The command line is wrong; the message is a sentence that says how. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The option that every command with a configuration has. */
export const configOption = {
  config: {
    type: "string",
    argument: "FILE",
    description:
      "The configuration file (YAML). Without it: the one that HEARTH_CONFIG names, else the defaults.",
  },
} as const satisfies Record<string, CommandOption>;

/** The value of a text option, `undefined` when it was not given. */
export function textOption({ options }: CommandArguments, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

/**
 * The value of an option that is a whole number; `undefined` when it was not given.
 * @throws UsageError when it is none, or below `least`
 */
export function numberOption(given: CommandArguments, name: string, least: number): number | undefined {
  const text = textOption(given, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw new UsageError(`--${name} takes a whole number from ${least} on, and "${text}" is none.`);
}
