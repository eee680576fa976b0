import type {
  ContactValidation,
  ContactValidationStore,
  NewValidation,
  TokenOutcome,
} from "../../contact-validations.ts";
import type { NewDelivery } from "../../deliveries.ts";
import type { Connection } from "../engine/connection.ts";
import { point, type StoreOperations, write } from "../engine/operations.ts";
import { addDelivery } from "./deliveries.ts";

/** A day's worth of them, on a server with very many users. */
const maxSessions = 100_000;

type ValidationRow = Omit<ContactValidation, "isVoid"> & { readonly isVoid: number };

/** A number of six digits is not guessed with so many attempts. */
const maxFailures = 5;

const findQuery = `SELECT sid, purpose, is_void AS isVoid, medium, address, secret_hash AS secretHash, send_attempt AS sendAttempt,
  next_link AS nextLink, failures, validated_ts AS validatedTs, expires_ts AS expiresTs
  FROM contact_validations WHERE sid = ? AND expires_ts > ?`;
const sameRequestQuery = `SELECT sid, send_attempt AS sendAttempt FROM contact_validations
  WHERE secret_hash = ? AND medium = ? AND address = ? AND purpose = ?`;

function begin(
  db: Connection,
  session: NewValidation,
  message: NewDelivery,
  nowTs: number,
): string | undefined {
  const { purpose, isVoid, medium, address, secretHash, sendAttempt, nextLink, expiresTs } = session;
  db.run("DELETE FROM contact_validations WHERE expires_ts <= ?", nowTs);
  const known = db.get<{ sid: string; sendAttempt: number }>(
    sameRequestQuery,
    secretHash,
    medium,
    address,
    purpose,
  );
  if (known && known.sendAttempt >= sendAttempt) return known.sid;
  if (!known && isFull(db)) return undefined;
  const sid = known?.sid ?? session.sid;
  if (!addDelivery(db, { ...message, values: { ...message.values, sid } }, nowTs)) return undefined;
  db.run(
    `INSERT INTO contact_validations
    (sid, purpose, is_void, medium, address, secret_hash, send_attempt, next_link, expires_ts)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (sid) DO UPDATE SET
    is_void = excluded.is_void, send_attempt = excluded.send_attempt, next_link = excluded.next_link`,
    sid,
    purpose,
    Number(isVoid),
    medium,
    address,
    secretHash,
    sendAttempt,
    nextLink,
    expiresTs,
  );
  return sid;
}

function isFull(db: Connection): boolean {
  const counted = db.get<{ count: number }>("SELECT count(*) AS count FROM contact_validations");
  return (counted?.count ?? 0) >= maxSessions;
}

function find(db: Connection, sid: string, nowTs: number): ContactValidation | undefined {
  const row = db.get<ValidationRow>(findQuery, sid, nowTs);
  return row && { ...row, isVoid: row.isVoid === 1 };
}

function tokenCame(db: Connection, sid: string, isRight: boolean, nowTs: number): TokenOutcome {
  const session = find(db, sid, nowTs);
  if (!session || session.failures >= maxFailures) return "ended";
  if (!isRight || session.isVoid) {
    db.run("UPDATE contact_validations SET failures = failures + 1 WHERE sid = ?", sid);
    return "wrong";
  }
  db.run("UPDATE contact_validations SET validated_ts = coalesce(validated_ts, ?) WHERE sid = ?", nowTs, sid);
  return "validated";
}

export const contactValidationOperations: StoreOperations<ContactValidationStore> = {
  begin: write(({ db }, session: NewValidation, message: NewDelivery, nowTs: number) =>
    begin(db, session, message, nowTs),
  ),
  find: point(find),
  tokenCame: write(({ db }, sid: string, isRight: boolean, nowTs: number) =>
    tokenCame(db, sid, isRight, nowTs),
  ),
  take: write(({ db }, sid: string) => db.run("DELETE FROM contact_validations WHERE sid = ?", sid) > 0),
};
