import type { SessionTokens } from "../../sessions.ts";
import type { Connection } from "../engine/connection.ts";

/** Revokes every token of a device. */
export function revokeTokens(db: Connection, userNid: number, deviceId: string): void {
  db.run("DELETE FROM access_tokens WHERE user_nid = ? AND device_id = ?", userNid, deviceId);
  db.run("DELETE FROM refresh_tokens WHERE user_nid = ? AND device_id = ?", userNid, deviceId);
}

/** Gives a device its tokens. */
export function insertTokens(
  db: Connection,
  userNid: number,
  deviceId: string,
  tokens: SessionTokens,
  replaces: Uint8Array | null,
): void {
  const { accessTokenHash, expiresTs, refreshTokenHash } = tokens;
  db.run(
    "INSERT INTO access_tokens (token_hash, user_nid, device_id, expires_ts, refresh_hash) VALUES (?, ?, ?, ?, ?)",
    accessTokenHash,
    userNid,
    deviceId,
    expiresTs,
    refreshTokenHash,
  );
  if (refreshTokenHash === null) return;
  db.run(
    "INSERT INTO refresh_tokens (token_hash, user_nid, device_id, replaces) VALUES (?, ?, ?, ?)",
    refreshTokenHash,
    userNid,
    deviceId,
    replaces,
  );
}
