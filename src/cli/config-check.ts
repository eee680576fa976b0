import { loadAppservices } from "../appservices/registration-file.ts";
import { loadConfig } from "../config/load.ts";
import { type Command, configOption, textOption } from "./command.ts";
import { exitCodes } from "./exit-codes.ts";

/** `hearth config check` */
export const configCheck: Command = {
  name: "config check",
  summary: "Says whether a configuration is right, and what is wrong with it.",
  details:
    "Reads the configuration as `hearth start` would, environment variables included, and names everything that is wrong\n" +
    "with it: unknown keys, wrong values, files that do not exist, registrations of application services. Changes nothing and starts nothing.",
  positionals: [],
  options: configOption,
  examples: ["hearth config check --config hearth.yaml"],
  async run(given, { environment, output }) {
    const config = loadConfig({ file: textOption(given, "config"), environment });
    const appservices = loadAppservices(config.application_services, config.server_name);
    const listeners = config.listeners.map(
      ({ bind, port, tls, apis }) =>
        `  ${tls ? "https" : "http"} on ${bind} port ${port}: ${apis.join(", ")}\n`,
    );
    output.write(
      `The configuration is right. It serves ${config.server_name} from ${config.data_dir}\n${listeners.join("")}` +
        appservices
          .map(({ id, registration: { url } }) => `  application service ${id} at ${url}\n`)
          .join(""),
    );
    return exitCodes.success;
  },
};
