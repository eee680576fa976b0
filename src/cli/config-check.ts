import { loadConfig } from "../config/load.ts";
import { type Command, configOption, textOption } from "./command.ts";
import { exitCodes } from "./exit-codes.ts";

/** `hearth config check` */
export const configCheck: Command = {
  name: "config check",
  summary: "Says whether a configuration is right, and what is wrong with it.",
  details:
    "Reads the configuration as `hearth start` would, environment variables included, and names everything that is wrong\n" +
    "with it: unknown keys, wrong values, files that do not exist. Changes nothing and starts nothing.",
  positionals: [],
  options: configOption,
  examples: ["hearth config check --config hearth.yaml"],
  async run(given, { environment, output }) {
    const config = loadConfig({ file: textOption(given, "config"), environment });
    const listeners = config.listeners.map(
      ({ bind, port, tls, apis }) =>
        `  ${tls ? "https" : "http"} on ${bind} port ${port}: ${apis.join(", ")}\n`,
    );
    output.write(
      `The configuration is right. It serves ${config.server_name} from ${config.data_dir}\n${listeners.join("")}`,
    );
    return exitCodes.success;
  },
};
