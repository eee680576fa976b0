import type { RestoreReport } from "../backup/restore-backup.ts";
import { loadConfig } from "../config/load.ts";
import { workOf, workOptions } from "./backup-options.ts";
import { columns } from "./columns.ts";
import { type Command, configOption, textOption } from "./command.ts";
import { exitCodes } from "./exit-codes.ts";

/** `hearth restore` */
export const restore: Command = {
  name: "restore",
  summary: "Restores a backup into the configuration's data folder.",
  details:
    "Restores a backup into data_dir of the configuration, while no server runs on it. FROM is a backup, or a folder of\n" +
    "backups, of which the newest is taken. Every hash is checked, and nothing counts until all is there. What must not\n" +
    "happen twice is marked: one-time keys and waiting messages to devices go, and positions of syncs go on above all that\n" +
    "clients know. The configuration itself is not touched: that of the backup is in its folder config.",
  positionals: ["FROM"],
  options: {
    replace: {
      type: "boolean",
      description: "Put a database that is there aside, in a folder beside the restored one.",
    },
    ...workOptions,
    ...configOption,
  },
  examples: [
    "hearth restore /mnt/backups/hearth --config hearth.yaml",
    "hearth restore /mnt/backups/hearth/2026-11-23T02-00-00Z --replace --max-rate 500",
  ],
  async run(given, terminal) {
    const config = loadConfig({ file: textOption(given, "config"), environment: terminal.environment });
    const [from = ""] = given.positionals;
    using work = workOf(given, terminal);
    const composition = await import("../composition/backups.ts");
    const report = await composition.restore(
      config,
      { from, replace: given.options["replace"] === true },
      work,
    );
    work[Symbol.dispose]();
    const text = given.options["json"] === true ? JSON.stringify(report) : tableOf(report, config.data_dir);
    terminal.output.write(`${text}\n`);
    return exitCodes.success;
  },
};

function tableOf(report: RestoreReport & { folder: string }, dataFolder: string): string {
  const { manifest, media, replaced } = report;
  const lost: [string, string][] =
    media.lost > 0 ? [["Lost media", `${media.lost} files are missing or damaged in the backup`]] : [];
  const aside: [string, string][] = replaced === undefined ? [] : [["Put aside", replaced]];
  return columns([
    ["Restored", report.folder],
    ["Taken", manifest.taken],
    ["Server", manifest.serverName],
    ["Into", dataFolder],
    ["Media", `${media.copied} files copied, ${media.kept} there already`],
    ...lost,
    ...aside,
  ]);
}
