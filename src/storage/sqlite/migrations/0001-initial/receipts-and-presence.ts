/** Up to where users have read, and how they are; see `stores/receipts.ts`, `unread-checkpoints.ts`, `presence.ts`. */
export const receiptsAndPresence = `
-- Up to where users have read. A row for each user, room, kind and thread, of which a user has a bounded number in a room;
-- all go when the user leaves the room.
CREATE TABLE receipts (
  user_nid INTEGER NOT NULL,
  room_nid INTEGER NOT NULL,
  -- 1 m.read, 2 m.read.private
  kind INTEGER NOT NULL,
  -- Empty for a receipt that goes for the whole room, "main", or the event ID of a thread's root.
  thread TEXT NOT NULL,
  event_id TEXT NOT NULL,
  -- Place of the event in the room's timeline.
  event_position INTEGER NOT NULL,
  ts INTEGER NOT NULL,
  -- Of the last change.
  position INTEGER NOT NULL,
  PRIMARY KEY (user_nid, room_nid, kind, thread)
) WITHOUT ROWID;
-- For syncs: what has changed in a room.
CREATE INDEX receipts_changes ON receipts (room_nid, position);

-- One row: other servers have been told of all receipts up to this position.
CREATE TABLE receipts_told (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  up_to INTEGER NOT NULL
);

-- How many unread events of a room notify a user, up to a position: written now and then where counting anew would take
-- long. Goes when the user leaves the room.
CREATE TABLE unread_checkpoints (
  user_nid INTEGER NOT NULL,
  room_nid INTEGER NOT NULL,
  counted_up_to INTEGER NOT NULL,
  -- JSON: [thread, notifications, highlights, position of the first, position of the last], for each thread.
  threads TEXT NOT NULL,
  PRIMARY KEY (user_nid, room_nid)
) WITHOUT ROWID;

-- One row at most for a user, written when their presence changes; goes when the account is deactivated. Those of users
-- of other servers who are offline go, the oldest first, when there are many.
CREATE TABLE presence (
  user_nid INTEGER PRIMARY KEY,
  -- 1 online, 2 unavailable, 3 offline
  state INTEGER NOT NULL,
  status_message TEXT,
  last_active_ts INTEGER NOT NULL,
  -- Of the last change.
  position INTEGER NOT NULL
);
-- For syncs after a long absence.
CREATE INDEX presence_changes ON presence (position);
-- Who was not offline when the server stopped.
CREATE INDEX presence_present ON presence (user_nid) WHERE state <> 3;
`;
