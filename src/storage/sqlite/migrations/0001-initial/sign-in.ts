/** Signing in by a browser; see `stores/external-ids.ts`, `browser-sessions.ts`, `oauth.ts`, `oauth-sessions.ts`. */
export const signIn = `
-- Who a user is at the providers of single sign-on. A row stays with its account, a deactivated one too: nobody comes
-- back by another name.
CREATE TABLE user_external_ids (
  -- As the configuration names the provider.
  provider_id TEXT NOT NULL,
  external_id TEXT NOT NULL,
  user_nid INTEGER NOT NULL,
  created_ts INTEGER NOT NULL,
  PRIMARY KEY (provider_id, external_id)
) WITHOUT ROWID;
CREATE INDEX user_external_ids_user ON user_external_ids (user_nid);

-- Browsers in which somebody is signed in to the pages of this server. Each insertion removes those that have expired;
-- a new password and the end of the account remove all of a user's.
CREATE TABLE browser_sessions (
  -- SHA-256 of the cookie's value.
  token_hash BLOB PRIMARY KEY,
  user_nid INTEGER NOT NULL,
  created_ts INTEGER NOT NULL,
  expires_ts INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX browser_sessions_age ON browser_sessions (expires_ts);
CREATE INDEX browser_sessions_user ON browser_sessions (user_nid);

-- Clients that have registered themselves. The same metadata are the same client. Each registration removes some of those
-- that have no session and were not used for a day.
CREATE TABLE oauth_clients (
  client_id TEXT PRIMARY KEY,
  -- JSON, as RFC 7591 has it.
  metadata TEXT NOT NULL,
  used_ts INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX oauth_clients_age ON oauth_clients (used_ts);

-- What is under way: authorization requests, codes, grants that no session has yet. All of it is gone within the hour:
-- each insertion removes some of what has expired.
CREATE TABLE oauth_records (
  -- The kind of record, as oidc-provider calls it.
  model TEXT NOT NULL,
  -- SHA-256 of its secret.
  id_hash BLOB NOT NULL,
  -- JSON.
  payload TEXT NOT NULL,
  expires_ts INTEGER NOT NULL,
  grant_id TEXT,
  user_code TEXT,
  PRIMARY KEY (model, id_hash)
) WITHOUT ROWID;
CREATE INDEX oauth_records_age ON oauth_records (expires_ts);
CREATE INDEX oauth_records_grant ON oauth_records (grant_id) WHERE grant_id IS NOT NULL;
CREATE UNIQUE INDEX oauth_records_user_code ON oauth_records (user_code) WHERE user_code IS NOT NULL;

-- The devices that signed in by the OAuth 2.0 API. A row goes with its device, or when somebody logs in as it otherwise.
CREATE TABLE oauth_sessions (
  user_nid INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  client_id TEXT NOT NULL,
  -- What the user has agreed to: a code that is used twice ends what it was used for.
  grant_id TEXT NOT NULL,
  -- SHA-256 of what all refresh tokens of the session have in common: one that is no longer valid is known for what it is.
  family_hash BLOB NOT NULL,
  PRIMARY KEY (user_nid, device_id)
) WITHOUT ROWID;
CREATE INDEX oauth_sessions_client ON oauth_sessions (client_id);
CREATE INDEX oauth_sessions_grant ON oauth_sessions (grant_id);
CREATE UNIQUE INDEX oauth_sessions_family ON oauth_sessions (family_hash);
`;
