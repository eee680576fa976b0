import type { UserId } from "../../../protocol/identifiers.ts";
import type { OpenIdTokenStore } from "../../openid-tokens.ts";
import { point, type StoreOperations, write } from "../engine/operations.ts";

/** Each call of each device takes one, and needs it for a moment. */
const maxTokensOfUser = 100;

const ownerSql = `SELECT user_id AS userId FROM openid_tokens JOIN users USING (user_nid) JOIN accounts USING (user_nid)
  WHERE token_hash = ? AND expires_ts > ? AND is_deactivated = 0 AND is_locked = 0`;
const trimSql = `DELETE FROM openid_tokens WHERE token_hash IN (
  SELECT token_hash FROM openid_tokens WHERE user_nid = ? ORDER BY expires_ts DESC LIMIT -1 OFFSET ${maxTokensOfUser})`;

export const openIdTokenOperations: StoreOperations<OpenIdTokenStore> = {
  add: write(({ db }, userNid: number, tokenHash: Uint8Array, expiresTs: number, nowTs: number) => {
    db.run("DELETE FROM openid_tokens WHERE expires_ts <= ?", nowTs);
    db.run(
      "INSERT INTO openid_tokens (token_hash, user_nid, expires_ts) VALUES (?, ?, ?)",
      tokenHash,
      userNid,
      expiresTs,
    );
    db.run(trimSql, userNid);
  }),
  ownerOf: point(
    (db, tokenHash: Uint8Array, nowTs: number) =>
      db.get<{ userId: UserId }>(ownerSql, tokenHash, nowTs)?.userId,
  ),
};
