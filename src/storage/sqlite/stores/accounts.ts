import type { UserId } from "../../../protocol/identifiers.ts";
import type {
  AcceptedPolicy,
  Account,
  AccountChanges,
  AccountExtras,
  AccountStore,
  CreateAccountOutcome,
  Departure,
  Erasure,
  NewAccount,
} from "../../accounts.ts";
import type { Connection } from "../engine/connection.ts";
import { point, type StoreOperations, write, type WriteTransaction } from "../engine/operations.ts";
import { endBrowserSessions } from "./browser-sessions.ts";
import { addContact, contactOwner } from "./contacts.ts";
import { deleteCrossSigningKeys } from "./cross-signing.ts";
import { removeDevices } from "./device-removal.ts";
import { internUser } from "./names.ts";
import { spendRegistrationToken } from "./registration-tokens.ts";
import { startSession } from "./sessions.ts";
import { externalIdOwner, linkExternalId } from "./external-ids.ts";
import { indexUser } from "./user-directory.ts";
import { removeUserData } from "./user-removal.ts";

const flags = ["isAdmin", "isGuest", "isDeactivated", "isErased", "isLocked", "isSuspended"] as const;
type AccountRow = Omit<Account, (typeof flags)[number]> & Record<(typeof flags)[number], number>;

const columns = `user_nid AS userNid, user_id AS userId, password_hash AS passwordHash, created_ts AS createdTs,
  is_admin AS isAdmin, is_guest AS isGuest, is_deactivated AS isDeactivated, is_erased AS isErased,
  is_locked AS isLocked, is_suspended AS isSuspended, user_type AS userType, appservice_id AS appserviceId`;
const findQuery = `SELECT ${columns} FROM users JOIN accounts USING (user_nid) WHERE user_id = ?`;
const findByNidQuery = `SELECT ${columns} FROM users JOIN accounts USING (user_nid) WHERE user_nid = ?`;

function accountOf(row: AccountRow | undefined): Account | undefined {
  return (
    row && {
      ...row,
      isAdmin: row.isAdmin === 1,
      isGuest: row.isGuest === 1,
      isDeactivated: row.isDeactivated === 1,
      isErased: row.isErased === 1,
      isLocked: row.isLocked === 1,
      isSuspended: row.isSuspended === 1,
    }
  );
}

function create(tx: WriteTransaction, account: NewAccount, extras: AccountExtras): CreateAccountOutcome {
  const { db } = tx;
  const userNid = internUser(db, account.userId, true);
  if (db.get("SELECT 1 FROM accounts WHERE user_nid = ?", userNid)) {
    return { created: false, reason: "in-use" };
  }
  const refusal = refusalOf(db, extras, account.createdTs);
  if (refusal) return { created: false, reason: refusal };
  db.run(
    `INSERT INTO accounts (user_nid, password_hash, created_ts, is_admin, is_guest, user_type, appservice_id)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
    userNid,
    account.passwordHash,
    account.createdTs,
    Number(account.isAdmin),
    Number(account.isGuest),
    account.userType,
    account.appserviceId,
  );
  if (account.displayName !== null) setDisplayName(db, userNid, account.displayName);
  indexUser(db, userNid);
  addExtras(tx, userNid, extras, account.createdTs);
  return { created: true, userNid };
}

/** Why an account cannot come with its extras, if it cannot. Otherwise a use of the token is spent. */
function refusalOf(
  db: Connection,
  { contacts = [], externalIds = [], registrationToken }: AccountExtras,
  nowTs: number,
): "contact-in-use" | "external-id-in-use" | "token-spent" | undefined {
  if (externalIds.some((id) => externalIdOwner(db, id) !== undefined)) return "external-id-in-use";
  if (contacts.some((contact) => contactOwner(db, contact) !== undefined)) return "contact-in-use";
  const isSpent = registrationToken !== undefined && !spendRegistrationToken(db, registrationToken, nowTs);
  return isSpent ? "token-spent" : undefined;
}

function addExtras(tx: WriteTransaction, userNid: number, extras: AccountExtras, nowTs: number): void {
  const { session, externalIds = [], contacts = [], acceptedPolicies = [] } = extras;
  for (const id of externalIds) linkExternalId(tx.db, userNid, id, nowTs);
  for (const contact of contacts) addContact(tx.db, userNid, contact);
  for (const { id, version } of acceptedPolicies) {
    tx.db.run(
      `INSERT INTO accepted_policies (user_nid, policy_id, version, accepted_ts) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET version = excluded.version, accepted_ts = excluded.accepted_ts`,
      userNid,
      id,
      version,
      nowTs,
    );
  }
  if (session) startSession(tx, userNid, session);
}

/** Nobody shares a room with who has just come: no position is needed to tell of it. */
function setDisplayName(db: Connection, userNid: number, displayName: string): void {
  db.run(
    `INSERT INTO profile_fields (user_nid, name, value, position) VALUES (?, 'displayname', ?, 0)
     ON CONFLICT DO NOTHING`,
    userNid,
    JSON.stringify(displayName),
  );
}

function upgradeGuest(
  tx: WriteTransaction,
  userNid: number,
  passwordHash: string | null,
  extras: AccountExtras,
  nowTs: number,
): CreateAccountOutcome {
  const { db } = tx;
  const isGuest = db.get(
    "SELECT 1 FROM accounts WHERE user_nid = ? AND is_guest = 1 AND is_deactivated = 0",
    userNid,
  );
  if (!isGuest) return { created: false, reason: "in-use" };
  const refusal = refusalOf(db, extras, nowTs);
  if (refusal) return { created: false, reason: refusal };
  db.run("UPDATE accounts SET is_guest = 0, password_hash = ? WHERE user_nid = ?", passwordHash, userNid);
  addExtras(tx, userNid, extras, nowTs);
  return { created: true, userNid };
}

function update(db: Connection, userNid: number, changes: AccountChanges): void {
  const { isAdmin, isLocked, isSuspended, userType } = changes;
  if (isAdmin !== undefined) {
    db.run("UPDATE accounts SET is_admin = ? WHERE user_nid = ?", Number(isAdmin), userNid);
  }
  if (isLocked !== undefined) {
    db.run("UPDATE accounts SET is_locked = ? WHERE user_nid = ?", Number(isLocked), userNid);
  }
  if (isSuspended !== undefined) {
    db.run("UPDATE accounts SET is_suspended = ? WHERE user_nid = ?", Number(isSuspended), userNid);
  }
  if (userType !== undefined) {
    db.run("UPDATE accounts SET user_type = ? WHERE user_nid = ?", userType, userNid);
  }
}

function setPasswordHash(db: Connection, userNid: number, passwordHash: string): void {
  db.run("UPDATE accounts SET password_hash = ? WHERE user_nid = ?", passwordHash, userNid);
}

function deactivate(tx: WriteTransaction, userNid: number, erase: boolean): void {
  tx.db.run(
    "UPDATE accounts SET is_deactivated = 1, is_admin = 0, password_hash = NULL, is_erased = ? WHERE user_nid = ?",
    Number(erase),
    userNid,
  );
  tx.db.run("DELETE FROM login_tokens WHERE user_nid = ?", userNid);
  removeDevices(tx, userNid, null);
  deleteCrossSigningKeys(tx, userNid);
  removeUserData(tx.db, userNid, erase);
  indexUser(tx.db, userNid);
  if (erase) {
    const position = tx.position("erasures", userNid, { isErased: true });
    tx.db.run("INSERT OR REPLACE INTO erasures (user_nid, position) VALUES (?, ?)", userNid, position);
  }
  tx.db.run("INSERT INTO account_departures (user_nid) VALUES (?) ON CONFLICT DO NOTHING", userNid);
}

export const accountOperations: StoreOperations<AccountStore> = {
  find: point((db, userId: UserId) => accountOf(db.get<AccountRow>(findQuery, userId))),
  findByNid: point((db, userNid: number) => accountOf(db.get<AccountRow>(findByNidQuery, userNid))),
  create: write(create),
  upgradeGuest: write(upgradeGuest),
  update: write(({ db }, userNid: number, changes: AccountChanges) => update(db, userNid, changes)),
  setPasswordHash: write(({ db }, userNid: number, passwordHash: string) =>
    setPasswordHash(db, userNid, passwordHash),
  ),
  renewPasswordHash: write(({ db }, userNid: number, before: string, after: string) => {
    db.run(
      "UPDATE accounts SET password_hash = ? WHERE user_nid = ? AND password_hash = ?",
      after,
      userNid,
      before,
    );
  }),
  changePassword: write((tx, userNid: number, passwordHash: string, exceptDeviceId: string | null) => {
    setPasswordHash(tx.db, userNid, passwordHash);
    tx.db.run("DELETE FROM login_tokens WHERE user_nid = ?", userNid);
    endBrowserSessions(tx.db, userNid);
    removeDevices(tx, userNid, exceptDeviceId);
  }),
  deactivate: write(deactivate),
  // Asked once, when the server starts: no reason to wake a reading worker.
  erasures: point((db) => db.all<Erasure>("SELECT user_nid AS userNid, position FROM erasures")),
  listDepartures: point((db) =>
    db.all<Departure>(
      "SELECT user_nid AS userNid, user_id AS userId FROM account_departures CROSS JOIN users USING (user_nid)",
    ),
  ),
  departed: write(({ db }, userNid: number) => {
    db.run("DELETE FROM account_departures WHERE user_nid = ?", userNid);
  }),
  acceptedPolicies: point((db, userNid: number) =>
    db.all<AcceptedPolicy>(
      "SELECT policy_id AS id, version FROM accepted_policies WHERE user_nid = ? ORDER BY policy_id",
      userNid,
    ),
  ),
  reactivate: write((tx, userNid: number, passwordHash: string | null) => {
    const { db } = tx;
    db.run(
      "UPDATE accounts SET is_deactivated = 0, is_erased = 0, password_hash = ? WHERE user_nid = ?",
      passwordHash,
      userNid,
    );
    if (db.run("DELETE FROM erasures WHERE user_nid = ?", userNid) > 0) {
      tx.position("erasures", userNid, { isErased: false });
    }
    db.run("DELETE FROM account_departures WHERE user_nid = ?", userNid);
    indexUser(db, userNid);
  }),
};
