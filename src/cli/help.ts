import { columns } from "./columns.ts";
import type { Command, CommandOption } from "./command.ts";

const helpOption: CommandOption = { type: "boolean", description: "Show this text." };

/** What `hearth --help` prints. */
export function generalHelp(commands: readonly Command[]): string {
  return `Hearth is a Matrix homeserver: the chat server that your organisation runs itself.

Usage: hearth COMMAND [OPTIONS]

Commands:
${columns(commands.map(({ name, summary }) => [name, summary]))}

Options:
${columns([
  ["--help, -h", "Show this text; `hearth COMMAND --help` explains a command."],
  ["--version, -v", "Show the version."],
])}

First steps:
${columns([
  ["hearth start", "Serves localhost on port 8008, with its data in ./data."],
  ["hearth user create alice --admin", "Makes the first account, in another terminal."],
])}
  Then open a Matrix client such as Element and sign in at the homeserver http://localhost:8008
`;
}

/** What `hearth COMMAND --help` prints. */
export function commandHelp(command: Command): string {
  const options = Object.entries({ ...command.options, help: helpOption });
  return `${command.details}

Usage: ${usage(command)}

Options:
${columns(options.map(([name, option]) => [optionName(name, option), option.description]))}

Examples:
${command.examples.map((example) => `  ${example}`).join("\n")}
`;
}

/** How a command is written: `hearth user create NAME [--admin] …`. */
export function usage({ name, positionals, options }: Command): string {
  const optional = Object.entries(options).map(([option, details]) => `[${optionName(option, details)}]`);
  return ["hearth", name, ...positionals, ...optional].join(" ");
}

function optionName(name: string, { argument }: CommandOption): string {
  return argument ? `--${name} ${argument}` : `--${name}`;
}
