import { maxKeysOfServer, type ServerKeyRow, type ServerKeyStore } from "../../server-keys.ts";
import { point, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";

const columns = `server_name AS serverName, key_id AS keyId, public_key AS publicKey, valid_until_ts AS validUntilTs,
  fetched_ts AS fetchedTs, document`;

export const serverKeyOperations: StoreOperations<ServerKeyStore> = {
  keysOf: point((db, serverName: string) =>
    db.all<ServerKeyRow>(`SELECT ${columns} FROM server_keys WHERE server_name = ?`, serverName),
  ),
  remember: write(remember),
};

function remember({ db }: WriteTransaction, rows: readonly ServerKeyRow[]): void {
  for (const { serverName, keyId, publicKey, validUntilTs, fetchedTs, document } of rows) {
    db.run(
      `INSERT INTO server_keys (server_name, key_id, public_key, valid_until_ts, fetched_ts, document)
       VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET public_key = excluded.public_key, valid_until_ts = excluded.valid_until_ts,
         fetched_ts = excluded.fetched_ts, document = excluded.document
       WHERE excluded.valid_until_ts >= server_keys.valid_until_ts`,
      serverName,
      keyId,
      publicKey,
      validUntilTs,
      fetchedTs,
      document,
    );
  }
  for (const serverName of new Set(rows.map((row) => row.serverName))) {
    db.run(
      `DELETE FROM server_keys WHERE server_name = ?1 AND key_id IN (
         SELECT key_id FROM server_keys WHERE server_name = ?1
         ORDER BY valid_until_ts DESC, key_id LIMIT -1 OFFSET ${maxKeysOfServer})`,
      serverName,
    );
  }
}
