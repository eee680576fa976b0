import type { RegistrationToken, RegistrationTokenStore } from "../../registration-tokens.ts";
import type { Connection } from "../engine/connection.ts";
import { point, scan, type StoreOperations, write } from "../engine/operations.ts";

const columns = `token, uses_allowed AS usesAllowed, uses, expires_ts AS expiresTs, created_ts AS createdTs`;
const findQuery = `SELECT ${columns} FROM registration_tokens WHERE token = ?`;
const listQuery = `SELECT ${columns} FROM registration_tokens ORDER BY token`;

/** Part of the transaction that makes an account. False when the token cannot be used any more. */
export function spendRegistrationToken(db: Connection, token: string, nowTs: number): boolean {
  const changed = db.run(
    `UPDATE registration_tokens SET uses = uses + 1
    WHERE token = ? AND (uses_allowed IS NULL OR uses < uses_allowed) AND (expires_ts IS NULL OR expires_ts > ?)`,
    token,
    nowTs,
  );
  return changed > 0;
}

export const registrationTokenOperations: StoreOperations<RegistrationTokenStore> = {
  find: point((db, token: string) => db.get<RegistrationToken>(findQuery, token)),
  list: scan((db) => db.all<RegistrationToken>(listQuery)),
  create: write(({ db }, made: RegistrationToken, maxTokens: number) => {
    const { token, usesAllowed, uses, expiresTs, createdTs } = made;
    const { count = 0 } =
      db.get<{ count: number }>("SELECT count(*) AS count FROM registration_tokens") ?? {};
    if (count >= maxTokens) return "too-many";
    const inserted = db.run(
      `INSERT INTO registration_tokens (token, uses_allowed, uses, expires_ts, created_ts) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT DO NOTHING`,
      token,
      usesAllowed,
      uses,
      expiresTs,
      createdTs,
    );
    return inserted > 0 ? "created" : "exists";
  }),
  update: write(({ db }, token: string, usesAllowed: number | null, expiresTs: number | null) => {
    const changed = db.run(
      "UPDATE registration_tokens SET uses_allowed = ?, expires_ts = ? WHERE token = ?",
      usesAllowed,
      expiresTs,
      token,
    );
    return changed > 0;
  }),
  remove: write(
    ({ db }, token: string) => db.run("DELETE FROM registration_tokens WHERE token = ?", token) > 0,
  ),
};
