import type { BackupFailure } from "../backup/backup-error.ts";
import type { StartupFailure } from "../config/startup-error.ts";

/** How `hearth` ended, for scripts and service managers. */
export const exitCodes = {
  success: 0,
  /** A failure that Hearth does not know. */
  failure: 1,
  /** Unknown command or option, or a missing argument. */
  usage: 2,
  badConfig: 3,
  portInUse: 4,
  unwritable: 5,
  newerDatabase: 6,
  badKey: 7,
  badTls: 8,
  /** The command was understood and refused, such as an account whose name is taken. */
  refused: 9,
  /** The server was stopped, and did not end what it was doing in time. */
  drainTimeout: 10,
  /** The database failed while the server ran: whoever supervises it should start it again. */
  databaseLost: 11,
  /** A text of the operator's own, such as that of an e-mail, cannot be used. */
  badText: 12,
  diskFull: 13,
  /** A backup is not what it was when it was made. */
  damagedBackup: 14,
} as const;

export const startupExitCodes: Readonly<Record<StartupFailure, number>> = {
  "port-in-use": exitCodes.portInUse,
  unwritable: exitCodes.unwritable,
  "newer-database": exitCodes.newerDatabase,
  "bad-key": exitCodes.badKey,
  "bad-tls": exitCodes.badTls,
  "bad-text": exitCodes.badText,
};

export const backupExitCodes: Readonly<Record<BackupFailure, number>> = {
  refused: exitCodes.refused,
  "disk-full": exitCodes.diskFull,
  unwritable: exitCodes.unwritable,
  damaged: exitCodes.damagedBackup,
};
