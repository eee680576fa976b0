import { isJsonObject, type JsonObject } from "../../../protocol/json.ts";
import {
  type AccountDataEntry,
  type AccountDataLimits,
  type AccountDataStore,
  type AccountDataWrite,
  deletedContent,
  globalScope,
} from "../../account-data.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";

const tagType = "m.tag";

/** For the transactions of other stores: the content of one entry. */
export function findAccountData(
  db: Connection,
  userNid: number,
  scope: string,
  type: string,
): string | undefined {
  const content = db.get<{ content: string }>(
    "SELECT content FROM account_data WHERE user_nid = ? AND scope = ? AND type = ?",
    userNid,
    scope,
    type,
  )?.content;
  return content === deletedContent ? undefined : content;
}

/** Part of every transaction that changes account data; the server's own types are not held to limits. */
export function storeAccountData(tx: WriteTransaction, userNid: number, entry: AccountDataEntry): void {
  tx.db.run(
    `INSERT INTO account_data (user_nid, scope, type, content, size_bytes, position) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET content = excluded.content, size_bytes = excluded.size_bytes, position = excluded.position`,
    userNid,
    entry.scope,
    entry.type,
    entry.content,
    Buffer.byteLength(entry.content),
    tx.position("accountData", userNid),
  );
}

function put(
  tx: WriteTransaction,
  userNid: number,
  entry: AccountDataEntry,
  limits: AccountDataLimits,
): AccountDataWrite {
  const before = findAccountData(tx.db, userNid, entry.scope, entry.type);
  const isFull = () => before === undefined && kept.entries >= limits.maxEntries;
  let kept = usage(tx.db, userNid);
  if (isFull() && forgetDeleted(tx.db, userNid) > 0) kept = usage(tx.db, userNid);
  if (isFull()) return "too-many-entries";
  const growthBytes = Buffer.byteLength(entry.content) - Buffer.byteLength(before ?? "");
  if (growthBytes > 0 && kept.bytes + growthBytes > limits.maxBytes) return "too-many-bytes";
  storeAccountData(tx, userNid, entry);
  return "stored";
}

function usage(db: Connection, userNid: number): { entries: number; bytes: number } {
  const kept = db.get<{ entries: number; bytes: number }>(
    "SELECT count(*) AS entries, coalesce(sum(size_bytes), 0) AS bytes FROM account_data WHERE user_nid = ?",
    userNid,
  );
  return kept ?? { entries: 0, bytes: 0 };
}

/** Clients that have been away since something was deleted do not hear of it any more. */
function forgetDeleted(db: Connection, userNid: number): number {
  return db.run(`DELETE FROM account_data WHERE user_nid = ? AND content = '${deletedContent}'`, userNid);
}

function remove(tx: WriteTransaction, userNid: number, scope: string, type: string): boolean {
  if (findAccountData(tx.db, userNid, scope, type) === undefined) return false;
  storeAccountData(tx, userNid, { scope, type, content: deletedContent });
  return true;
}

/** Entries about one device, which go with it: notifications that a client makes itself (MSC3890). */
const deviceTypes = ["m.local_notification_settings.", "org.matrix.msc3890.local_notification_settings."];

/** Part of every transaction that ends a device. */
export function removeDeviceAccountData(tx: WriteTransaction, userNid: number, deviceId: string): void {
  for (const type of deviceTypes) remove(tx, userNid, globalScope, type + deviceId);
}

function changeTags(
  tx: WriteTransaction,
  userNid: number,
  roomId: string,
  change: (tags: Map<string, JsonObject[string]>) => void,
): AccountDataEntry {
  const parsed: unknown = JSON.parse(findAccountData(tx.db, userNid, roomId, tagType) ?? "{}");
  const content = isJsonObject(parsed) ? parsed : {};
  const tags = new Map(isJsonObject(content["tags"]) ? Object.entries(content["tags"]) : []);
  change(tags);
  // A map and its entries, because a tag may be called __proto__.
  const changed = { ...content, tags: Object.fromEntries(tags) };
  return { scope: roomId, type: tagType, content: JSON.stringify(changed) };
}

function putTag(
  tx: WriteTransaction,
  userNid: number,
  roomId: string,
  tag: string,
  info: string,
  limits: AccountDataLimits,
): AccountDataWrite {
  const parsed = JSON.parse(info) as JsonObject;
  const entry = changeTags(tx, userNid, roomId, (tags) => tags.set(tag, parsed));
  return put(tx, userNid, entry, limits);
}

function removeTag(tx: WriteTransaction, userNid: number, roomId: string, tag: string): boolean {
  let removed = false;
  const entry = changeTags(tx, userNid, roomId, (tags) => {
    removed = tags.delete(tag);
  });
  if (removed) storeAccountData(tx, userNid, entry);
  return removed;
}

export const accountDataOperations: StoreOperations<AccountDataStore> = {
  find: point(findAccountData),
  put: write(put),
  remove: write(remove),
  putTag: write(putTag),
  removeTag: write(removeTag),
  changedBetween: point((db, userNid: number, since: number, upTo: number) =>
    db.all<AccountDataEntry>(
      `SELECT scope, type, content FROM account_data
      WHERE user_nid = ? AND position > ? AND position <= ? ORDER BY position`,
      userNid,
      since,
      upTo,
    ),
  ),
  all: scan((db, userNid: number) =>
    db.all<AccountDataEntry>(
      `SELECT scope, type, content FROM account_data WHERE user_nid = ? AND content <> '${deletedContent}'`,
      userNid,
    ),
  ),
};
