/** Server-side key backups; see `stores/key-backups.ts`. */
export const keyBackups = `
-- A user's backups, the highest version being the current one. A row goes when the user deletes the backup.
CREATE TABLE key_backups (
  user_nid INTEGER NOT NULL,
  version INTEGER NOT NULL,
  algorithm TEXT NOT NULL,
  -- JSON object.
  auth_data TEXT NOT NULL,
  -- Grows with each change of the keys.
  etag INTEGER NOT NULL DEFAULT 0,
  key_count INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (user_nid, version)
) WITHOUT ROWID;

-- The highest version that a user ever had: the number of a deleted backup is never given again. One row a user.
CREATE TABLE key_backup_versions (
  user_nid INTEGER PRIMARY KEY,
  version INTEGER NOT NULL
);

-- Bounded in number for each backup; rows go with their backup or when the user deletes them. Clustered in the order in
-- which a whole backup is read.
CREATE TABLE key_backup_keys (
  user_nid INTEGER NOT NULL,
  version INTEGER NOT NULL,
  room_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  is_verified INTEGER NOT NULL,
  first_message_index INTEGER NOT NULL,
  forwarded_count INTEGER NOT NULL,
  -- The key's data as it was uploaded, as JSON.
  data TEXT NOT NULL,
  PRIMARY KEY (user_nid, version, room_id, session_id)
) WITHOUT ROWID;
`;
