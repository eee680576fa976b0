import { exampleConfig } from "../config/example.ts";
import type { Command } from "./command.ts";
import { exitCodes } from "./exit-codes.ts";

/** `hearth config example` */
export const configExample: Command = {
  name: "config example",
  summary: "Prints a configuration file that explains every key.",
  details:
    "Prints a configuration file with every key, what it means and its default, to be saved and changed.",
  positionals: [],
  options: {},
  examples: ["hearth config example > hearth.yaml"],
  async run(_given, { output }) {
    output.write(exampleConfig());
    return exitCodes.success;
  },
};
