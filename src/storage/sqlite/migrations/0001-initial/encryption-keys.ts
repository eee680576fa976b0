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
  PRIMARY KEY (user_nid, device_id)
) WITHOUT ROWID;

-- A claim takes the row away; the rest goes with the device. The integer key is the order of uploading.
CREATE TABLE one_time_keys (
  key_nid INTEGER PRIMARY KEY,
  user_nid INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  algorithm TEXT NOT NULL,
  key_id TEXT NOT NULL,
  -- The uploaded key, as JSON.
  key TEXT NOT NULL
);
-- For telling a repeated upload from a conflicting one.
CREATE UNIQUE INDEX one_time_keys_id ON one_time_keys (user_nid, device_id, algorithm, key_id);
-- For claiming the oldest, and for counting.
CREATE INDEX one_time_keys_age ON one_time_keys (user_nid, device_id, algorithm, key_nid);

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

-- Position of the last change of a device's one-time and fallback keys. One row a device; it goes with the device.
CREATE TABLE one_time_key_changes (
  user_nid INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  PRIMARY KEY (user_nid, device_id)
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
`;
