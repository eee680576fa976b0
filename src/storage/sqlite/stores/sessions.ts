import type { UserId } from "../../../protocol/identifiers.ts";
import type { NewDevice } from "../../devices.ts";
import type { NewSession, SessionStore, SessionTokens, TokenOwner } from "../../sessions.ts";
import type { Connection } from "../engine/connection.ts";
import { point, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";
import { recordKeylessDeviceChange } from "./device-lists.ts";
import { removeDevice } from "./device-removal.ts";
import { bindToClient, clientOfDevice, unbindFromClient } from "./oauth-binding.ts";
import { insertTokens, revokeTokens } from "./session-tokens.ts";

interface OwnerRow {
  readonly userNid: number;
  readonly userId: UserId;
  readonly deviceId: string;
  readonly expiresTs: number | null;
  readonly isAdmin: number;
  readonly isGuest: number;
  readonly isLocked: number;
  readonly isSuspended: number;
  readonly replaces: Uint8Array | null;
}

const ownerQuery = `
SELECT t.user_nid AS userNid, u.user_id AS userId, t.device_id AS deviceId, t.expires_ts AS expiresTs,
  a.is_admin AS isAdmin, a.is_guest AS isGuest, a.is_locked AS isLocked, a.is_suspended AS isSuspended, r.replaces
FROM access_tokens t JOIN users u USING (user_nid) JOIN accounts a USING (user_nid)
  LEFT JOIN refresh_tokens r ON r.token_hash = t.refresh_hash
WHERE t.token_hash = ?`;

function findByAccessToken(db: Connection, tokenHash: Uint8Array): TokenOwner | undefined {
  const row = db.get<OwnerRow>(ownerQuery, tokenHash);
  return (
    row && {
      userNid: row.userNid,
      userId: row.userId,
      deviceId: row.deviceId,
      expiresTs: row.expiresTs,
      isAdmin: row.isAdmin === 1,
      isGuest: row.isGuest === 1,
      isLocked: row.isLocked === 1,
      isSuspended: row.isSuspended === 1,
      isUnconfirmed: row.replaces !== null,
    }
  );
}

/** A user's device that nobody has used for longest goes when there would be more than this many. */
const maxDevices = 500;

/** Makes a device, unless it is there: see `DeviceStore.create`. */
export function createDevice(
  tx: WriteTransaction,
  userNid: number,
  { deviceId, displayName, createdTs }: NewDevice,
): boolean {
  const made = tx.db.run(
    "INSERT INTO devices (user_nid, device_id, display_name, created_ts) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
    userNid,
    deviceId,
    displayName,
    createdTs,
  );
  if (made === 0) return false;
  recordKeylessDeviceChange(tx, userNid, deviceId);
  removeDisusedDevices(tx, userNid, deviceId);
  return true;
}

/** Part of the transactions that log somebody in. */
export function startSession(tx: WriteTransaction, userNid: number, session: NewSession): void {
  const { deviceId } = session;
  const isNew = createDevice(tx, userNid, session);
  if (!isNew) takeOver(tx.db, userNid, deviceId);
  insertTokens(tx.db, userNid, deviceId, session, null);
  if (session.oauth) bindToClient(tx.db, userNid, deviceId, session.oauth);
}

/** Whoever logs in as a device ends its session. A dehydrated device is an ordinary one from then on. */
function takeOver(db: Connection, userNid: number, deviceId: string): void {
  revokeTokens(db, userNid, deviceId);
  unbindFromClient(db, userNid, deviceId);
  db.run("DELETE FROM dehydrated_devices WHERE user_nid = ? AND device_id = ?", userNid, deviceId);
}

function removeDisusedDevices(tx: WriteTransaction, userNid: number, newDeviceId: string): void {
  const disused = tx.db.all<{ id: string }>(
    `SELECT device_id AS id FROM devices WHERE user_nid = ? AND device_id <> ?
    ORDER BY coalesce(last_seen_ts, created_ts) DESC LIMIT -1 OFFSET ?`,
    userNid,
    newDeviceId,
    maxDevices - 1,
  );
  for (const { id } of disused) removeDevice(tx, userNid, id);
}

interface RefreshTokenRow {
  readonly userNid: number;
  readonly deviceId: string;
  readonly replaces: Uint8Array | null;
  readonly isLocked: number;
}

function findRefreshToken(db: Connection, tokenHash: Uint8Array): RefreshTokenRow | undefined {
  return db.get<RefreshTokenRow>(
    `SELECT user_nid AS userNid, device_id AS deviceId, replaces, is_locked AS isLocked
    FROM refresh_tokens JOIN accounts USING (user_nid) WHERE token_hash = ?`,
    tokenHash,
  );
}

/** Part of the transactions that refresh a session. */
export function refreshSession(
  db: Connection,
  refreshTokenHash: Uint8Array,
  tokens: SessionTokens,
): { userNid: number } | "unknown" {
  const found = findRefreshToken(db, refreshTokenHash);
  if (!found) return "unknown";
  const { userNid, deviceId } = found;
  revokePredecessor(db, refreshTokenHash, found);
  // Whatever else the device has was given for this refresh token before, and nobody used it.
  db.run(
    "DELETE FROM access_tokens WHERE user_nid = ? AND device_id = ? AND refresh_hash IS NOT ?",
    userNid,
    deviceId,
    refreshTokenHash,
  );
  db.run(
    "DELETE FROM refresh_tokens WHERE user_nid = ? AND device_id = ? AND token_hash IS NOT ?",
    userNid,
    deviceId,
    refreshTokenHash,
  );
  insertTokens(db, userNid, deviceId, tokens, refreshTokenHash);
  return { userNid };
}

function revokePredecessor(db: Connection, refreshTokenHash: Uint8Array, token: RefreshTokenRow): void {
  const { userNid, deviceId, replaces } = token;
  if (replaces === null) return;
  db.run(
    "DELETE FROM access_tokens WHERE user_nid = ? AND device_id = ? AND refresh_hash = ?",
    userNid,
    deviceId,
    replaces,
  );
  db.run("DELETE FROM refresh_tokens WHERE token_hash = ?", replaces);
  db.run("UPDATE refresh_tokens SET replaces = NULL WHERE token_hash = ?", refreshTokenHash);
}

function confirmRefresh(db: Connection, accessTokenHash: Uint8Array): void {
  const issued = db.get<{ hash: Uint8Array | null }>(
    "SELECT refresh_hash AS hash FROM access_tokens WHERE token_hash = ?",
    accessTokenHash,
  )?.hash;
  const token = issued && findRefreshToken(db, issued);
  if (token) revokePredecessor(db, issued, token);
}

function takeLoginToken(db: Connection, tokenHash: Uint8Array, nowTs: number): number | undefined {
  const row = db.get<{ userNid: number; expiresTs: number }>(
    "SELECT user_nid AS userNid, expires_ts AS expiresTs FROM login_tokens WHERE token_hash = ?",
    tokenHash,
  );
  if (!row) return undefined;
  db.run("DELETE FROM login_tokens WHERE token_hash = ?", tokenHash);
  return row.expiresTs > nowTs ? row.userNid : undefined;
}

export const sessionOperations: StoreOperations<SessionStore> = {
  start: write((tx, userNid: number, session: NewSession) => {
    if (tx.db.get("SELECT 1 FROM accounts WHERE user_nid = ? AND is_deactivated = 1", userNid)) return false;
    startSession(tx, userNid, session);
    return true;
  }),
  findByAccessToken: point(findByAccessToken),
  refresh: write(({ db }, refreshTokenHash: Uint8Array, tokens: SessionTokens) => {
    const found = findRefreshToken(db, refreshTokenHash);
    const isOAuth = found && clientOfDevice(db, found.userNid, found.deviceId) !== undefined;
    if (isOAuth) return "unknown";
    return found?.isLocked === 1 ? "locked" : refreshSession(db, refreshTokenHash, tokens);
  }),
  confirmRefresh: write(({ db }, accessTokenHash: Uint8Array) => confirmRefresh(db, accessTokenHash)),
  addLoginToken: write(({ db }, userNid: number, tokenHash: Uint8Array, expiresTs: number, nowTs: number) => {
    db.run("DELETE FROM login_tokens WHERE expires_ts <= ?", nowTs);
    db.run(
      "INSERT INTO login_tokens (token_hash, user_nid, expires_ts) VALUES (?, ?, ?)",
      tokenHash,
      userNid,
      expiresTs,
    );
  }),
  takeLoginToken: write(({ db }, tokenHash: Uint8Array, nowTs: number) =>
    takeLoginToken(db, tokenHash, nowTs),
  ),
};
