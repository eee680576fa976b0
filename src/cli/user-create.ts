import { loadConfig } from "../config/load.ts";
import { type Command, configOption, textOption } from "./command.ts";
import { exitCodes } from "./exit-codes.ts";
import { createLogTo } from "../telemetry/log.ts";
import { askPassword, readPassword } from "./password.ts";

/** `hearth user create` */
export const userCreate: Command = {
  name: "user create",
  summary: "Makes an account, such as the first administrator's.",
  details:
    "Makes an account in the database of the configuration, whether the server runs or not. NAME is the part before the\n" +
    "colon: alice for @alice:example.org. The password is asked for, twice, or read from standard input.",
  positionals: ["NAME"],
  options: {
    admin: { type: "boolean", description: "The account may administrate the server." },
    "password-stdin": {
      type: "boolean",
      description: "Read the password from standard input instead of asking.",
    },
    ...configOption,
  },
  examples: [
    "hearth user create alice --admin",
    "hearth user create bob --password-stdin --config hearth.yaml < password.txt",
  ],
  async run(given, terminal) {
    const config = loadConfig({ file: textOption(given, "config"), environment: terminal.environment });
    const [name = ""] = given.positionals;
    const localpart = localpartOf(name, config.server_name);
    const password = given.options["password-stdin"]
      ? await readPassword(terminal)
      : await askPassword(terminal);
    const admin = given.options.admin === true;
    const { openAdminTools } = await import("../server.ts");
    await using tools = await openAdminTools(config, createLogTo(terminal.errors, "warn"));
    await tools.createUser({ localpart, password, admin });
    const kind = admin ? "administrator's account" : "account";
    terminal.output.write(`Made the ${kind} @${localpart}:${config.server_name}\n`);
    return exitCodes.success;
  },
};

/** `alice` of `@alice:example.org` as of `alice`. What is no name at all is left for the server to refuse. */
function localpartOf(name: string, serverName: string): string {
  const suffix = `:${serverName}`;
  return name.startsWith("@") && name.endsWith(suffix) ? name.slice(1, -suffix.length) : name;
}
