import type { OAuthBinding } from "../../oauth.ts";
import type { Connection } from "../engine/connection.ts";

/** Says which client of the OAuth 2.0 API a device's session belongs to: part of the transactions that log somebody in. */
export function bindToClient(
  db: Connection,
  userNid: number,
  deviceId: string,
  { clientId, grantId, familyHash }: OAuthBinding,
): void {
  db.run(
    "INSERT INTO oauth_sessions (user_nid, device_id, client_id, grant_id, family_hash) VALUES (?, ?, ?, ?, ?)",
    userNid,
    deviceId,
    clientId,
    grantId,
    familyHash,
  );
}

/** The device is gone, or somebody logs in as it anew. */
export function unbindFromClient(db: Connection, userNid: number, deviceId: string): void {
  db.run("DELETE FROM oauth_sessions WHERE user_nid = ? AND device_id = ?", userNid, deviceId);
}

export function clientOfDevice(db: Connection, userNid: number, deviceId: string): string | undefined {
  return db.get<{ clientId: string }>(
    "SELECT client_id AS clientId FROM oauth_sessions WHERE user_nid = ? AND device_id = ?",
    userNid,
    deviceId,
  )?.clientId;
}
