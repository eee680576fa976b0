import type { Connection } from "../engine/connection.ts";

/**
 * So many positions are left out: more than a server gives out in a hundred days at ten thousand a second, and few enough
 * for ninety thousand restores.
 */
const positionMargin = 100_000_000_000;
/** The same for the key backups of one user. */
const keyBackupMargin = 1_000;

/**
 * What was waiting for somebody when the copy was made: they have had it since, or it is no longer of any use. One-time keys
 * would be given out a second time; single-use secrets could be used a second time.
 */
const spentTables = [
  "one_time_keys",
  "to_device_messages",
  "to_device_inboxes",
  "outgoing_to_device",
  "outgoing_to_device_sizes",
  "deliveries",
  "login_tokens",
  "oauth_records",
  "contact_validations",
  // Clients begin their connections anew.
  "sliding_sync_connections",
] as const;

/**
 * Marks a copy as one that others have been served from since it was made: what must not happen twice does not, and nothing
 * new is taken for something old.
 */
export function markRestored(db: Connection): void {
  db.execute("BEGIN IMMEDIATE");
  try {
    const position = jumpAhead(db);
    tellOfSpentKeys(db, position);
    for (const table of spentTables) db.execute(`DELETE FROM ${table}`);
    skipWhatWasSent(db, position);
    askForDeviceListsAnew(db);
    db.execute("COMMIT");
  } catch (error) {
    // A full disk has rolled it back already.
    if (db.inTransaction) db.execute("ROLLBACK");
    throw error;
  }
}

/**
 * Stream positions go on above all that clients, and other servers, may have been told since.
 * @returns the position that the stream stands at now
 */
function jumpAhead(db: Connection): number {
  const row = db.get<{ ceiling: number }>(
    `INSERT INTO stream_sequence (id, ceiling) VALUES (1, ?1)
     ON CONFLICT DO UPDATE SET ceiling = ceiling + ?1 RETURNING ceiling`,
    positionMargin,
  );
  if (!row) throw new Error("the stream's ceiling was not stored");
  return row.ceiling;
}

/** Every device hears at its next sync that it has no one-time key left, and that its fallback keys want replacing. */
function tellOfSpentKeys(db: Connection, position: number): void {
  db.run("UPDATE one_time_key_counts SET claimed = uploaded, position = ?", position);
  db.run("UPDATE fallback_keys SET used = 1");
}

/**
 * Notifications and receipts up to now have gone out. Events have not: whoever gets one twice knows it by its ID, and the
 * numbers of transactions that carry them follow the time of day. Those of key backups tell an old one from a new one.
 */
function skipWhatWasSent(db: Connection, position: number): void {
  db.run("UPDATE push_progress SET up_to = ?", position);
  db.run("UPDATE pushers SET delivered_up_to = NULL");
  db.run("UPDATE receipts_told SET up_to = ?", position);
  db.run("UPDATE key_backup_versions SET version = version + ?", keyBackupMargin);
}

/** Updates that have come since are lost, and other servers send none twice. */
function askForDeviceListsAnew(db: Connection): void {
  db.run("UPDATE remote_device_lists SET is_stale = 2, generation = generation + 1 WHERE is_stale = 0");
}
