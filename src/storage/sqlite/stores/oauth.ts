import type { OAuthRecord, OAuthStore } from "../../oauth.ts";
import type { Connection } from "../engine/connection.ts";
import { point, type StoreOperations, write } from "../engine/operations.ts";

const unusedClientLifetimeMs = 24 * 60 * 60 * 1000;
/** What one insertion removes: more than it adds, and never so much that anybody waits for it. */
const removedAtOnce = 20;

function putClient(db: Connection, clientId: string, metadata: string, nowTs: number): void {
  db.run(
    `DELETE FROM oauth_clients WHERE client_id IN (
      SELECT client_id FROM oauth_clients WHERE used_ts < ?
        AND NOT EXISTS (SELECT 1 FROM oauth_sessions WHERE oauth_sessions.client_id = oauth_clients.client_id)
      ORDER BY used_ts LIMIT ?)`,
    nowTs - unusedClientLifetimeMs,
    removedAtOnce,
  );
  db.run(
    `INSERT INTO oauth_clients (client_id, metadata, used_ts) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET metadata = excluded.metadata, used_ts = excluded.used_ts`,
    clientId,
    metadata,
    nowTs,
  );
}

function putRecord(
  db: Connection,
  model: string,
  idHash: Uint8Array,
  { payload, expiresTs, grantId, userCode }: OAuthRecord,
  nowTs: number,
): boolean {
  db.run(
    `DELETE FROM oauth_records WHERE (model, id_hash) IN (
      SELECT model, id_hash FROM oauth_records WHERE expires_ts <= ? ORDER BY expires_ts LIMIT ?)`,
    nowTs,
    removedAtOnce,
  );
  const isTaken = db.get(
    "SELECT 1 FROM oauth_records WHERE user_code = ? AND (model <> ? OR id_hash <> ?)",
    userCode,
    model,
    idHash,
  );
  if (isTaken) return false;
  db.run(
    `INSERT INTO oauth_records (model, id_hash, payload, expires_ts, grant_id, user_code) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET payload = excluded.payload, expires_ts = excluded.expires_ts,
      grant_id = excluded.grant_id, user_code = excluded.user_code`,
    model,
    idHash,
    payload,
    expiresTs,
    grantId,
    userCode,
  );
  return true;
}

function payloadOf(row: { payload: string } | undefined): string | undefined {
  return row?.payload;
}

export const oauthOperations: StoreOperations<OAuthStore> = {
  putClient: write(({ db }, clientId: string, metadata: string, nowTs: number) =>
    putClient(db, clientId, metadata, nowTs),
  ),
  findClient: point(
    (db, clientId: string) =>
      db.get<{ metadata: string }>("SELECT metadata FROM oauth_clients WHERE client_id = ?", clientId)
        ?.metadata,
  ),
  putRecord: write(({ db }, model: string, idHash: Uint8Array, record: OAuthRecord, nowTs: number) =>
    putRecord(db, model, idHash, record, nowTs),
  ),
  findRecord: point((db, model: string, idHash: Uint8Array, nowTs: number) =>
    payloadOf(
      db.get(
        "SELECT payload FROM oauth_records WHERE model = ? AND id_hash = ? AND expires_ts > ?",
        model,
        idHash,
        nowTs,
      ),
    ),
  ),
  findRecordByUserCode: point((db, userCode: string, nowTs: number) =>
    db.get<{ idHash: Uint8Array; payload: string }>(
      "SELECT id_hash AS idHash, payload FROM oauth_records WHERE user_code = ? AND expires_ts > ?",
      userCode,
      nowTs,
    ),
  ),
  consumeRecord: write(({ db }, model: string, idHash: Uint8Array, nowTs: number) => {
    const changed = db.run(
      `UPDATE oauth_records SET payload = json_set(payload, '$.consumed', CAST(? AS INTEGER))
      WHERE model = ? AND id_hash = ? AND payload ->> '$.consumed' IS NULL`,
      Math.floor(nowTs / 1000),
      model,
      idHash,
    );
    return changed > 0;
  }),
  removeRecord: write(({ db }, model: string, idHash: Uint8Array) => {
    db.run("DELETE FROM oauth_records WHERE model = ? AND id_hash = ?", model, idHash);
  }),
  removeRecordsOfGrant: write(({ db }, model: string, grantId: string) => {
    db.run("DELETE FROM oauth_records WHERE grant_id = ? AND model = ?", grantId, model);
  }),
};
