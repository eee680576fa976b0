import { constants, setPriority } from "node:os";
import type { BackupReport } from "../backup/take-backup.ts";
import { configFileOf, loadConfig } from "../config/load.ts";
import { workOf, workOptions } from "./backup-options.ts";
import { columns, sizeText } from "./columns.ts";
import { type Command, configOption, numberOption, textOption } from "./command.ts";
import { exitCodes } from "./exit-codes.ts";

/** `hearth backup` */
export const backup: Command = {
  name: "backup",
  summary: "Backs up the server's data, while it runs or not.",
  details:
    "Makes a backup in the folder PLACE, while the server runs or not: the database as it is at one moment, the media that\n" +
    "are not in PLACE yet, the signing key, and the configuration with its secrets. A backup that is broken off is never\n" +
    "taken for one; the next one clears it away and goes on with the media. docs/backup.md has more.",
  positionals: ["PLACE"],
  options: {
    keep: {
      type: "string",
      argument: "N",
      description: "Remove older backups from PLACE until so many are left, the new one included.",
    },
    ...workOptions,
    ...configOption,
  },
  examples: [
    "hearth backup /mnt/backups/hearth --config hearth.yaml",
    "hearth backup /mnt/backups/hearth --keep 14 --json",
  ],
  async run(given, terminal) {
    const source = { file: textOption(given, "config"), environment: terminal.environment };
    const config = loadConfig(source);
    const [place = ""] = given.positionals;
    const keep = numberOption(given, "keep", 1);
    using work = workOf(given, terminal);
    // The server, and whatever else runs here, goes first.
    setPriority(constants.priority.PRIORITY_LOW);
    const { backUp } = await import("../composition/backups.ts");
    const report = await backUp(config, { place, configFile: configFileOf(source), keep }, work);
    work[Symbol.dispose]();
    terminal.output.write(given.options["json"] === true ? `${JSON.stringify(report)}\n` : tableOf(report));
    return exitCodes.success;
  },
};

function tableOf({ folder, manifest, copiedMedia, lostMedia, pruned }: BackupReport): string {
  const { files, media, rows, serverName } = manifest;
  const fileBytes = Object.values(files).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const rowCount = Object.values(rows).reduce((sum, count) => sum + count, 0);
  const lost: [string, string][] =
    lostMedia > 0 ? [["Lost media", `${lostMedia} files are missing or damaged in the media folder`]] : [];
  const table: [string, string][] = [
    ["Backup", folder],
    ["Server", serverName],
    ["Database", `${sizeText(fileBytes)}, ${rowCount} rows`],
    ["Media", `${media.count} files, ${sizeText(media.sizeBytes)}`],
    ["New media", `${copiedMedia.count} files, ${sizeText(copiedMedia.sizeBytes)}`],
    ...lost,
    ["Removed", pruned.length === 0 ? "no older backups" : pruned.join(", ")],
  ];
  return `${columns(table)}\n`;
}
