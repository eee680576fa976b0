/** What users keep for themselves; see `stores/account-data.ts`, `filters.ts`, `push-rules.ts`, `profiles.ts`. */
export const userData = `
-- Bounded for each user by entries and bytes; goes when the account is deactivated.
CREATE TABLE account_data (
  user_nid INTEGER NOT NULL,
  -- A room ID, as text because the room need not be known here; empty for what belongs to no room.
  scope TEXT NOT NULL,
  type TEXT NOT NULL,
  -- A JSON object; an empty one for what has been deleted, of which clients have to hear.
  content TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  -- Position of the last change.
  position INTEGER NOT NULL,
  PRIMARY KEY (user_nid, scope, type)
) WITHOUT ROWID;
-- For incremental syncs; with the size in it, a user's total is read from the index alone.
CREATE INDEX account_data_changes ON account_data (user_nid, position, size_bytes);

-- One row at most for a user; goes when the account is deactivated.
CREATE TABLE push_rules (
  user_nid INTEGER PRIMARY KEY,
  rules TEXT NOT NULL,
  position INTEGER NOT NULL
);

-- Bounded for each user, the oldest going first; goes when the account is deactivated.
CREATE TABLE filters (
  user_nid INTEGER NOT NULL,
  filter_id TEXT NOT NULL,
  definition TEXT NOT NULL,
  stored_ts INTEGER NOT NULL,
  PRIMARY KEY (user_nid, filter_id)
) WITHOUT ROWID;

-- Bounded for each user by bytes, and by a number of fields that have been removed; goes when the account is deactivated
-- and erased.
CREATE TABLE profile_fields (
  user_nid INTEGER NOT NULL,
  name TEXT NOT NULL,
  -- A JSON value; NULL for a field that has been removed, of which clients have to hear.
  value TEXT,
  -- Position of the last change.
  position INTEGER NOT NULL,
  PRIMARY KEY (user_nid, name)
) WITHOUT ROWID;
-- For "whose profiles have changed since".
CREATE INDEX profile_fields_changes ON profile_fields (position);
`;
