/** Public keys for end-to-end encryption; see `stores/device-keys.ts`, `one-time-keys.ts`, `cross-signing.ts`, `device-lists.ts`,
 * `dehydrated-devices.ts`. */
export const encryptionKeys = `
-- Identity keys of devices, of remote users as well. A row goes with its device.
CREATE TABLE device_keys (
  user_nid INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  -- What signatures cover, as canonical JSON: the uploaded object without \`signatures\` and \`unsigned\`.
  signed TEXT NOT NULL,
  -- The owner's signatures by key ID, as a JSON object: nobody else's are kept.
  signatures TEXT NOT NULL,
  -- Of a remote user's device; that of a local one is in \`devices\`.
  display_name TEXT,
  PRIMARY KEY (user_nid, device_id)
) WITHOUT ROWID;

-- Keys that wait to be claimed, and those that have been since the device last uploaded some: the next upload takes these
-- away, the device all of them.
CREATE TABLE one_time_keys (
  user_nid INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  algorithm TEXT NOT NULL,
  -- Counts up in the order of uploading.
  number INTEGER NOT NULL,
  key_id TEXT NOT NULL,
  -- The uploaded key, as JSON.
  key TEXT NOT NULL,
  PRIMARY KEY (user_nid, device_id, algorithm, number)
) WITHOUT ROWID;

-- How far a device's keys have been given out. A claim writes here only: a row is small, so that many share a page. One row
-- a device and algorithm; it goes with the device.
CREATE TABLE one_time_key_counts (
  user_nid INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  algorithm TEXT NOT NULL,
  -- The number of the newest one-time key.
  uploaded INTEGER NOT NULL DEFAULT 0,
  -- The number of the newest one that has been given out: those after it wait to be claimed.
  claimed INTEGER NOT NULL DEFAULT 0,
  -- Of the last change of one-time or fallback keys.
  position INTEGER NOT NULL,
  PRIMARY KEY (user_nid, device_id, algorithm)
) WITHOUT ROWID;

-- One a device and algorithm; it goes with the device.
CREATE TABLE fallback_keys (
  user_nid INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  algorithm TEXT NOT NULL,
  key_id TEXT NOT NULL,
  key TEXT NOT NULL,
  used INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (user_nid, device_id, algorithm)
) WITHOUT ROWID;

-- At most three rows a user, replaced by new uploads.
CREATE TABLE cross_signing_keys (
  user_nid INTEGER NOT NULL,
  -- 'master', 'self_signing' or 'user_signing'
  usage TEXT NOT NULL,
  -- Unpadded Base64, as in the key's ID.
  public_key TEXT NOT NULL,
  -- As in device_keys.
  signed TEXT NOT NULL,
  signatures TEXT NOT NULL,
  PRIMARY KEY (user_nid, usage)
) WITHOUT ROWID;

-- Signatures by a user's user-signing key of other users' master keys: for the signer's eyes only. A row goes when
-- either key is replaced.
CREATE TABLE user_signatures (
  signer_nid INTEGER NOT NULL,
  target_nid INTEGER NOT NULL,
  -- Public part of the master key that was signed.
  target_key TEXT NOT NULL,
  -- ID of the user-signing key.
  key_id TEXT NOT NULL,
  signature TEXT NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (signer_nid, target_nid)
) WITHOUT ROWID;
-- For taking back what signed a master key that is replaced.
CREATE INDEX user_signatures_target ON user_signatures (target_nid);

-- Devices without a session: at most one a user, and each of them is in \`devices\` too. A row goes with its device.
CREATE TABLE dehydrated_devices (
  user_nid INTEGER PRIMARY KEY,
  device_id TEXT NOT NULL,
  -- The encrypted device, as a JSON object.
  device_data TEXT NOT NULL
);

-- Position of the last change of a user's device keys or cross-signing keys. One row a user.
CREATE TABLE device_list_changes (
  user_nid INTEGER PRIMARY KEY,
  position INTEGER NOT NULL
);
-- For "who has changed since".
CREATE INDEX device_list_changes_position ON device_list_changes (position);

-- What other servers are told of local users: the last change of each device, and of the cross-signing keys ('' in place
-- of a device). A device that is gone keeps its row until twenty others of its user have gone after it.
CREATE TABLE device_updates (
  user_nid INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  -- Position of the change of one of the user's devices before this one; NULL for the first, and for cross-signing keys.
  previous INTEGER,
  PRIMARY KEY (user_nid, device_id)
) WITHOUT ROWID;
-- For what a server has not been told yet.
CREATE INDEX device_updates_position ON device_updates (position);

-- Users of other servers whose device lists are followed. A row goes, and the keys with it, when its user shares no room
-- with anybody here any more.
CREATE TABLE remote_device_lists (
  user_nid INTEGER PRIMARY KEY,
  server_name TEXT NOT NULL,
  -- Where the stored list is in its server's updates; NULL while none is stored.
  stream_id INTEGER,
  -- Not 0 while the list has to be asked for: 1 since it is followed, 2 since a change of it was told that could not be applied.
  is_stale INTEGER NOT NULL,
  -- Grows with each update that could not be applied: a list that was asked for before it is too old.
  generation INTEGER NOT NULL
);
-- What is still to be asked for, server by server.
CREATE INDEX remote_device_lists_stale ON remote_device_lists (server_name, user_nid) WHERE is_stale <> 0;
`;
