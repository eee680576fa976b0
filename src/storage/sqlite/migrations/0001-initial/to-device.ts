/** Messages to devices; see `stores/to-device.ts`. */
export const toDevice = `
-- Messages that wait for a device. They go once the device has them, or with the device. The integer key is the position.
CREATE TABLE to_device_messages (
  position INTEGER PRIMARY KEY,
  user_nid INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  -- The event as it is sent: sender, type and content.
  event TEXT NOT NULL
);
CREATE INDEX to_device_messages_device ON to_device_messages (user_nid, device_id, position);

-- How many messages wait and how many bytes they have, for the bounds on them. One row a device that ever got a message;
-- it goes with the device.
CREATE TABLE to_device_inboxes (
  user_nid INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  waiting INTEGER NOT NULL,
  waiting_bytes INTEGER NOT NULL,
  PRIMARY KEY (user_nid, device_id)
) WITHOUT ROWID;

-- Transaction IDs of sends: a repeated request sends nothing. The integer key is the order of sending; each send takes
-- the oldest rows away once they are a day old, and a device takes its rows with it.
CREATE TABLE to_device_transactions (
  transaction_nid INTEGER PRIMARY KEY,
  user_nid INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  event_type TEXT NOT NULL,
  transaction_id TEXT NOT NULL,
  created_ts INTEGER NOT NULL
);
CREATE UNIQUE INDEX to_device_transactions_id
  ON to_device_transactions (user_nid, device_id, transaction_id, event_type);

-- Messages that other servers have sent: one that comes again is not delivered again. The integer key is the order of
-- arrival; each message takes the oldest rows away once they are a month old or there are too many.
CREATE TABLE received_to_device (
  received_nid INTEGER PRIMARY KEY,
  origin TEXT NOT NULL,
  message_id TEXT NOT NULL,
  received_ts INTEGER NOT NULL
);
CREATE UNIQUE INDEX received_to_device_id ON received_to_device (origin, message_id);
`;
