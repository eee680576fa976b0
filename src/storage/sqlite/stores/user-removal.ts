import type { Connection } from "../engine/connection.ts";

/**
 * What a user keeps and nobody else needs: it goes when the account is deactivated. A store with such rows adds its own
 * line here, so that no way of ending an account forgets any of it.
 */
const ownedByUser: readonly string[] = [
  "DELETE FROM account_data WHERE user_nid = ?",
  "DELETE FROM push_rules WHERE user_nid = ?",
  "DELETE FROM filters WHERE user_nid = ?",
  "DELETE FROM key_backups WHERE user_nid = ?",
  "DELETE FROM key_backup_versions WHERE user_nid = ?",
  "DELETE FROM key_backup_keys WHERE user_nid = ?",
  "DELETE FROM receipts WHERE user_nid = ?",
  "DELETE FROM unread_checkpoints WHERE user_nid = ?",
  "DELETE FROM presence WHERE user_nid = ?",
  "DELETE FROM openid_tokens WHERE user_nid = ?",
  "DELETE FROM browser_sessions WHERE user_nid = ?",
  "DELETE FROM contacts WHERE user_nid = ?",
  "DELETE FROM contact_bindings WHERE user_nid = ?",
  "DELETE FROM server_notice_rooms WHERE user_nid = ?",
  "DELETE FROM third_party_invites WHERE inviter_nid = ?",
  "DELETE FROM delayed_events WHERE user_nid = ?",
  "DELETE FROM thread_subscriptions WHERE user_nid = ?",
];

/** What others see of a user: it goes when the user asks for erasure. */
const shownToOthers: readonly string[] = ["DELETE FROM profile_fields WHERE user_nid = ?"];

/** Part of the transaction that deactivates an account. */
export function removeUserData(db: Connection, userNid: number, erase: boolean): void {
  for (const statement of ownedByUser) db.run(statement, userNid);
  if (!erase) return;
  for (const statement of shownToOthers) db.run(statement, userNid);
}
