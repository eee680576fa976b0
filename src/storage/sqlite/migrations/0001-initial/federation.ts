/** What is known of other servers, and what has come from them; see `stores/server-keys.ts`, `federation-inbox.ts`. */
export const federation = `
-- Keys of other servers. A server that signs with ever new ones loses the oldest.
CREATE TABLE server_keys (
  server_name TEXT NOT NULL,
  key_id TEXT NOT NULL,
  public_key TEXT NOT NULL,
  valid_until_ts INTEGER NOT NULL,
  fetched_ts INTEGER NOT NULL,
  -- The document that told of the key, for those who ask this server for it.
  document TEXT NOT NULL,
  PRIMARY KEY (server_name, key_id)
) WITHOUT ROWID;

-- Received events that wait to enter their rooms' graphs, in the order of arrival from each server. A row goes when its
-- event has been judged; how many wait is bounded for each server and room.
CREATE TABLE federation_inbox (
  inbox_nid INTEGER PRIMARY KEY,
  room_nid INTEGER NOT NULL,
  event_id TEXT NOT NULL,
  origin TEXT NOT NULL,
  pdu TEXT NOT NULL,
  received_ts INTEGER NOT NULL,
  UNIQUE (room_nid, origin, event_id)
);
CREATE INDEX federation_inbox_lane ON federation_inbox (room_nid, origin, inbox_nid);

-- Other servers that have users in rooms, and how many. Kept with the memberships; a row goes with the last user.
CREATE TABLE room_servers (
  room_nid INTEGER NOT NULL,
  server_name TEXT NOT NULL,
  joined INTEGER NOT NULL,
  -- 1 for one that was in the room when it was joined without its members, until those are known.
  is_told INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (room_nid, server_name)
) WITHOUT ROWID;
-- What a server that was away has missed.
CREATE INDEX room_servers_server ON room_servers (server_name, room_nid);

-- Rooms that were joined without learning of all their members. A row goes when those are known, or when nobody of this
-- server is in the room any more.
CREATE TABLE partial_rooms (
  room_nid INTEGER PRIMARY KEY,
  -- The join by which this server has come into the room.
  join_id TEXT NOT NULL,
  -- The servers that were in the room then, as a JSON list.
  servers TEXT NOT NULL
);

-- Users of servers of partial rooms whose devices have changed while it was not known whether they are in one. Bounded for
-- each server; a row goes with the last partial room of its server.
CREATE TABLE early_device_changes (
  server_name TEXT NOT NULL,
  user_id TEXT NOT NULL,
  PRIMARY KEY (server_name, user_id)
) WITHOUT ROWID;

-- How far sending to other servers has come. A row goes when its server shares no room and is owed nothing.
CREATE TABLE destinations (
  server_name TEXT PRIMARY KEY,
  -- Up to this position everything has been sent, or has grown too old to be sent.
  sent_up_to INTEGER NOT NULL,
  -- Up to this position it has been told of users' devices.
  device_lists_up_to INTEGER NOT NULL,
  -- Since when nothing gets through, and when it is tried again; NULL while all is well.
  failing_since_ts INTEGER,
  retry_ts INTEGER,
  retry_interval_ms INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- What a server is still to be sent of rooms that it is in no more, such as that its last user was made to leave. Written
-- with the membership and bounded for each server; a row goes when its server has it, or with its event.
CREATE TABLE farewells (
  event_nid INTEGER PRIMARY KEY,
  server_name TEXT NOT NULL
);
CREATE INDEX farewells_server ON farewells (server_name);

-- Messages to devices of users of other servers, in order. A row goes when its server has it.
CREATE TABLE outgoing_to_device (
  message_nid INTEGER PRIMARY KEY,
  server_name TEXT NOT NULL,
  -- The content of an m.direct_to_device EDU.
  content TEXT NOT NULL
);
CREATE INDEX outgoing_to_device_server ON outgoing_to_device (server_name, message_nid);

-- How many of them wait for a server and how many bytes they have, for the bounds on them. A row goes with the last one.
CREATE TABLE outgoing_to_device_sizes (
  server_name TEXT PRIMARY KEY,
  waiting INTEGER NOT NULL,
  waiting_bytes INTEGER NOT NULL
) WITHOUT ROWID;
`;
