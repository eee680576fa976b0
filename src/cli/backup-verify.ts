import { tmpdir } from "node:os";
import type { VerifyReport } from "../backup/verify-backup.ts";
import { workOf, workOptions } from "./backup-options.ts";
import { columns, sizeText } from "./columns.ts";
import type { Command } from "./command.ts";
import { exitCodes } from "./exit-codes.ts";

/** `hearth backup verify` */
export const backupVerify: Command = {
  name: "backup verify",
  summary: "Rehearses the restore of a backup, and says whether it is good.",
  details:
    "Restores a backup in a temporary folder (TMPDIR says where; it takes the room of the database), checks the database's\n" +
    "integrity, and compares every hash and the number of rows of every table with what was written down when the backup was\n" +
    "made. FROM is a backup, or a folder of backups, of which the newest is taken. Neither FROM nor any server is changed.",
  positionals: ["FROM"],
  options: workOptions,
  examples: [
    "hearth backup verify /mnt/backups/hearth",
    "TMPDIR=/var/tmp hearth backup verify /mnt/backups/hearth/2026-11-23T02-00-00Z --max-rate 500",
  ],
  async run(given, terminal) {
    const [from = ""] = given.positionals;
    using work = workOf(given, terminal);
    const { checkBackup } = await import("../composition/backups.ts");
    const report = await checkBackup(from, tmpdir(), work);
    work[Symbol.dispose]();
    terminal.output.write(given.options["json"] === true ? `${JSON.stringify(report)}\n` : tableOf(report));
    return report.problems.length === 0 ? exitCodes.success : exitCodes.damagedBackup;
  },
};

function tableOf({ folder, manifest, problems }: VerifyReport & { folder: string }): string {
  const { media, rows, schemaVersion, serverName, taken } = manifest;
  const rowCounts = Object.entries(rows).filter(([, count]) => count > 0);
  const table: [string, string][] = [
    ["Backup", folder],
    ["Taken", taken],
    ["Server", serverName],
    ["Schema version", String(schemaVersion)],
    ["Media", `${media.count} files, ${sizeText(media.sizeBytes)}`],
    ...rowCounts.map(([name, count]): [string, string] => [`Rows of ${name}`, String(count)]),
  ];
  const verdict =
    problems.length === 0
      ? "The backup is good: it was restored, and everything is as it was when it was made."
      : `The backup is damaged:\n${problems.map((problem) => `  ${problem}`).join("\n")}`;
  return `${columns(table)}\n${verdict}\n`;
}
