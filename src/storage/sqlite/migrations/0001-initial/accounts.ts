/** Local accounts, their devices and tokens; see `stores/accounts.ts`, `sessions.ts`, `devices.ts`, `registration-tokens.ts`. */
export const accounts = `
-- A row stays for ever, deactivated accounts included: nobody else may take the name of somebody who was there.
CREATE TABLE accounts (
  user_nid INTEGER PRIMARY KEY,
  -- In PHC format; NULL for who has no password.
  password_hash TEXT,
  created_ts INTEGER NOT NULL,
  is_admin INTEGER NOT NULL DEFAULT 0,
  is_guest INTEGER NOT NULL DEFAULT 0,
  is_deactivated INTEGER NOT NULL DEFAULT 0,
  is_erased INTEGER NOT NULL DEFAULT 0,
  is_locked INTEGER NOT NULL DEFAULT 0,
  is_suspended INTEGER NOT NULL DEFAULT 0,
  user_type TEXT,
  -- The application service that made the account.
  appservice_id TEXT
);

-- Users whose messages are hidden from those who came later than this position. A row goes when the account is reactivated.
CREATE TABLE erasures (
  user_nid INTEGER PRIMARY KEY,
  position INTEGER NOT NULL
);

-- Deactivated users who may still be in rooms. A row goes when they have left them all.
CREATE TABLE account_departures (
  user_nid INTEGER PRIMARY KEY
);

-- Shrinks when users log out, delete devices or are deactivated.
CREATE TABLE devices (
  user_nid INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  display_name TEXT,
  created_ts INTEGER NOT NULL,
  -- Written in batches: up to a minute behind.
  last_seen_ts INTEGER,
  last_seen_ip TEXT,
  last_seen_user_agent TEXT,
  PRIMARY KEY (user_nid, device_id)
) WITHOUT ROWID;

-- A device has one access token, or two of them while a refreshed one has not been used. They go with their device.
CREATE TABLE access_tokens (
  -- SHA-256 of the token.
  token_hash BLOB PRIMARY KEY,
  user_nid INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  -- NULL: it does not expire.
  expires_ts INTEGER,
  -- The refresh token that was issued together with it.
  refresh_hash BLOB
) WITHOUT ROWID;
-- For ending a device's sessions.
CREATE INDEX access_tokens_device ON access_tokens (user_nid, device_id);

-- As access_tokens: one or two for a device that refreshes its tokens.
CREATE TABLE refresh_tokens (
  token_hash BLOB PRIMARY KEY,
  user_nid INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  -- The refresh token that was given for this one: valid until this one or its access token is used.
  replaces BLOB
) WITHOUT ROWID;
CREATE INDEX refresh_tokens_device ON refresh_tokens (user_nid, device_id);

-- Single use and short-lived: each insertion removes those that have expired.
CREATE TABLE login_tokens (
  token_hash BLOB PRIMARY KEY,
  user_nid INTEGER NOT NULL,
  expires_ts INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX login_tokens_age ON login_tokens (expires_ts);

-- Short-lived, and bounded for each user: each insertion removes those that have expired and the user's oldest.
CREATE TABLE openid_tokens (
  token_hash BLOB PRIMARY KEY,
  user_nid INTEGER NOT NULL,
  expires_ts INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX openid_tokens_age ON openid_tokens (expires_ts);
CREATE INDEX openid_tokens_user ON openid_tokens (user_nid, expires_ts);

-- Made and deleted by administrators.
CREATE TABLE registration_tokens (
  token TEXT PRIMARY KEY,
  -- NULL: as often as one likes.
  uses_allowed INTEGER,
  uses INTEGER NOT NULL DEFAULT 0,
  -- NULL: it does not expire.
  expires_ts INTEGER,
  created_ts INTEGER NOT NULL
) WITHOUT ROWID;
`;
