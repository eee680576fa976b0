import type { OAuthDevice, OAuthRefreshOutcome, OAuthSessionStore } from "../../oauth.ts";
import type { SessionTokens } from "../../sessions.ts";
import { point, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";
import { removeDevice } from "./device-removal.ts";
import { clientOfDevice } from "./oauth-binding.ts";
import { refreshSession } from "./sessions.ts";

function refresh(
  tx: WriteTransaction,
  refreshTokenHash: Uint8Array,
  familyHash: Uint8Array,
  clientId: string,
  tokens: SessionTokens,
): OAuthRefreshOutcome {
  const session = tx.db.get<OAuthDevice & { clientId: string }>(
    `SELECT user_nid AS userNid, device_id AS deviceId, client_id AS clientId FROM oauth_sessions
    WHERE family_hash = ?`,
    familyHash,
  );
  if (!session || session.clientId !== clientId) return "unknown";
  const { userNid, deviceId } = session;
  if (refreshSession(tx.db, refreshTokenHash, tokens) !== "unknown") return { userNid, deviceId };
  removeDevice(tx, userNid, deviceId);
  return { reusedBy: { userNid, deviceId } };
}

function revoke(tx: WriteTransaction, tokenHash: Uint8Array): OAuthDevice | undefined {
  const device = tx.db.get<OAuthDevice>(
    `SELECT user_nid AS userNid, device_id AS deviceId FROM access_tokens WHERE token_hash = ?1
    UNION ALL SELECT user_nid, device_id FROM refresh_tokens WHERE token_hash = ?1`,
    tokenHash,
  );
  if (device) removeDevice(tx, device.userNid, device.deviceId);
  return device;
}

export const oauthSessionOperations: StoreOperations<OAuthSessionStore> = {
  clientOf: point(clientOfDevice),
  refresh: write(refresh),
  revoke: write(revoke),
  revokeGrant: write((tx, grantId: string) => {
    const devices = tx.db.all<OAuthDevice>(
      "SELECT user_nid AS userNid, device_id AS deviceId FROM oauth_sessions WHERE grant_id = ?",
      grantId,
    );
    for (const { userNid, deviceId } of devices) removeDevice(tx, userNid, deviceId);
    return devices;
  }),
};
