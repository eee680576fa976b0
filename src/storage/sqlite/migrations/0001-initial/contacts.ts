/**
 * Addresses of users outside of Matrix, and messages to them; see `stores/contacts.ts`, `contact-validations.ts`,
 * `deliveries.ts`, `third-party-invites.ts`.
 */
export const contacts = `
-- A bounded number for each user; they go with the account.
CREATE TABLE contacts (
  medium TEXT NOT NULL,
  -- In its canonical form.
  address TEXT NOT NULL,
  user_nid INTEGER NOT NULL,
  validated_ts INTEGER NOT NULL,
  added_ts INTEGER NOT NULL,
  PRIMARY KEY (medium, address)
) WITHOUT ROWID;
-- For a user's own list.
CREATE INDEX contacts_user ON contacts (user_nid, added_ts);

-- Addresses that identity servers were told of: a bounded number for each user. They go when they are unbound, or with
-- the account.
CREATE TABLE contact_bindings (
  user_nid INTEGER NOT NULL,
  medium TEXT NOT NULL,
  address TEXT NOT NULL,
  identity_server TEXT NOT NULL,
  PRIMARY KEY (user_nid, medium, address, identity_server)
) WITHOUT ROWID;

-- Validation sessions, a bounded number. Each insertion removes those that have expired.
CREATE TABLE contact_validations (
  sid TEXT PRIMARY KEY,
  purpose TEXT NOT NULL,
  -- There is nothing to prove, and no token is right.
  is_void INTEGER NOT NULL,
  medium TEXT NOT NULL,
  address TEXT NOT NULL,
  -- SHA-256 of the client secret.
  secret_hash BLOB NOT NULL,
  send_attempt INTEGER NOT NULL,
  next_link TEXT,
  failures INTEGER NOT NULL DEFAULT 0,
  -- NULL: not yet.
  validated_ts INTEGER,
  expires_ts INTEGER NOT NULL
) WITHOUT ROWID;
-- A repeated request finds its session.
CREATE UNIQUE INDEX contact_validations_request ON contact_validations (secret_hash, medium, address, purpose);
CREATE INDEX contact_validations_age ON contact_validations (expires_ts);

-- E-mails and text messages that are to be sent: bounded; a row goes when it is sent, refused or expired.
CREATE TABLE deliveries (
  delivery_nid INTEGER PRIMARY KEY,
  medium TEXT NOT NULL,
  address TEXT NOT NULL,
  kind TEXT NOT NULL,
  language TEXT NOT NULL,
  -- JSON, without secrets.
  message_values TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  due_ts INTEGER NOT NULL,
  expires_ts INTEGER NOT NULL
);
CREATE INDEX deliveries_due ON deliveries (due_ts);

-- Invitations by e-mail that this server vouches for. A row goes when it is redeemed or some months old; each inviter has a
-- bounded number.
CREATE TABLE third_party_invites (
  token TEXT PRIMARY KEY,
  public_key TEXT NOT NULL,
  room_nid INTEGER NOT NULL,
  inviter_nid INTEGER NOT NULL,
  medium TEXT NOT NULL,
  address TEXT NOT NULL,
  created_ts INTEGER NOT NULL
) WITHOUT ROWID;
-- Other servers ask whether a key is good.
CREATE INDEX third_party_invites_key ON third_party_invites (public_key);
CREATE INDEX third_party_invites_inviter ON third_party_invites (inviter_nid);
CREATE INDEX third_party_invites_age ON third_party_invites (created_ts);

-- Which version of which policy a user accepted when they registered. The proof stays as long as the account's row.
CREATE TABLE accepted_policies (
  user_nid INTEGER NOT NULL,
  policy_id TEXT NOT NULL,
  version TEXT NOT NULL,
  accepted_ts INTEGER NOT NULL,
  PRIMARY KEY (user_nid, policy_id)
) WITHOUT ROWID;
`;
