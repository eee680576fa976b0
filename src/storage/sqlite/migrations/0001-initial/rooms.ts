/** Rooms, the event graph, state snapshots and memberships; see `stores/rooms.ts`, `events.ts`, `memberships.ts`. */
export const rooms = `
CREATE TABLE rooms (
  room_nid INTEGER PRIMARY KEY,
  room_id TEXT NOT NULL UNIQUE,
  version TEXT NOT NULL,
  -- The resolved state after all forward extremities; NULL until the first event is committed.
  current_snapshot INTEGER,
  -- Position of the newest event in the room's timeline.
  last_position INTEGER NOT NULL DEFAULT 0,
  -- Members in the current state, counted as they change.
  joined_members INTEGER NOT NULL DEFAULT 0,
  invited_members INTEGER NOT NULL DEFAULT 0,
  -- Events in the current state, likewise.
  state_events INTEGER NOT NULL DEFAULT 0,
  -- 1 while the room is listed in this server's public directory.
  is_public INTEGER NOT NULL DEFAULT 0,
  -- Of a room that was joined without learning of all its members: the position at which they had become known.
  whole_position INTEGER,
  -- 1 once an administrator has begun to take it out of the database, until its row goes as the last one.
  is_removed INTEGER NOT NULL DEFAULT 0,
  -- The position before which its history has been purged, once it has been: the search index forgets what was there.
  purged_before INTEGER
);
-- What is kept in memory of them.
CREATE INDEX rooms_whole ON rooms (room_nid, whole_position) WHERE whole_position IS NOT NULL;
-- The directory, in its order.
CREATE INDEX rooms_public ON rooms (joined_members DESC, room_nid) WHERE is_public = 1;

CREATE TABLE forward_extremities (
  room_nid INTEGER NOT NULL,
  event_nid INTEGER NOT NULL,
  PRIMARY KEY (room_nid, event_nid)
) WITHOUT ROWID;

CREATE TABLE events (
  event_nid INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL UNIQUE,
  room_nid INTEGER NOT NULL,
  -- Order in the room's timeline; NULL for an outlier and for an event that was rejected or soft-failed.
  position INTEGER,
  type_nid INTEGER NOT NULL,
  -- The state pair, for a state event.
  pair_nid INTEGER,
  sender_nid INTEGER NOT NULL,
  depth INTEGER NOT NULL,
  origin_server_ts INTEGER NOT NULL,
  -- State snapshots before and after the event; NULL for an outlier.
  state_before INTEGER,
  state_after INTEGER,
  -- The room's resolved state from this event's commit on; NULL where that is state_after.
  room_state INTEGER,
  -- Bit 0: rejected, 1: soft-failed, 2: outlier.
  flags INTEGER NOT NULL DEFAULT 0,
  -- The redaction that took this event's content away.
  redacted_by INTEGER,
  -- The state event whose place in the state this one took.
  replaces INTEGER,
  -- The delayed event that this one was until it was sent: told to its sender.
  delay_id TEXT,
  -- The event's keys that clients see, as JSON without the outer braces.
  common TEXT NOT NULL,
  -- The event's remaining keys (auth_events, hashes, prev_events, signatures ...), as JSON without the outer braces.
  federation TEXT NOT NULL
);
-- The time is part of it so that events are found by their time without reading them: no position occurs twice anyway.
CREATE UNIQUE INDEX events_timeline ON events (room_nid, position, origin_server_ts) WHERE position IS NOT NULL;

-- What is not in a timeline, for taking a room away.
CREATE INDEX events_unplaced ON events (room_nid) WHERE position IS NULL;

-- Gaps in timelines: where events are missing that other servers may have. Rows go when those have come.
CREATE TABLE timeline_gaps (
  room_nid INTEGER NOT NULL,
  -- Of the event after the gap.
  position INTEGER NOT NULL,
  -- The events, all of them at this position or later, that follow missing ones.
  event_nid INTEGER NOT NULL,
  PRIMARY KEY (room_nid, position, event_nid)
) WITHOUT ROWID;

-- What other servers have told of rooms with invites and answers to knocks: JSON lists of texts of stripped events. A row
-- goes with its member event.
CREATE TABLE stripped_states (
  event_nid INTEGER PRIMARY KEY,
  events TEXT NOT NULL
);

-- Redactions that came before what they redact. A row goes when that comes.
CREATE TABLE waiting_redactions (
  target_id TEXT NOT NULL,
  redaction_nid INTEGER NOT NULL,
  PRIMARY KEY (target_id, redaction_nid)
) WITHOUT ROWID;

-- State events in the graph of auth events: what walks of it read. A row goes with its event.
CREATE TABLE event_auth (
  event_nid INTEGER PRIMARY KEY,
  -- What it rests on. Varints, ascending differences.
  auth_nids BLOB NOT NULL,
  pair_nid INTEGER NOT NULL,
  -- Its place among those of its pair that have succeeded each other: see protocol/state-resolution/succession.ts.
  predecessor_nid INTEGER,
  jump_nid INTEGER,
  height INTEGER NOT NULL
);

-- Events that rest on some with greater integer IDs than their own: invites that came before the rest of their room. All
-- others rest on lower ones, so that a walk knows where it need not go. One row at most for each invite of a local user.
CREATE TABLE late_auth_edges (
  room_nid INTEGER NOT NULL,
  event_nid INTEGER NOT NULL,
  PRIMARY KEY (room_nid, event_nid)
) WITHOUT ROWID;

-- A state snapshot: the entries in which it differs from its parent. See state/state-snapshots.ts.
CREATE TABLE state_snapshots (
  snapshot_nid INTEGER PRIMARY KEY,
  parent_nid INTEGER,
  height INTEGER NOT NULL,
  delta BLOB NOT NULL
);

-- Snapshots to which something has ceased to refer: perhaps nothing does any more. A row goes when that has been looked into.
CREATE TABLE dropped_snapshots (
  -- Grows with each row: what has been dropped since is found by it.
  drop_nid INTEGER PRIMARY KEY AUTOINCREMENT,
  room_nid INTEGER NOT NULL,
  snapshot_nid INTEGER NOT NULL,
  UNIQUE (room_nid, snapshot_nid)
);
-- Whether anything has been dropped in a room while references were looked for.
CREATE INDEX dropped_snapshots_newest ON dropped_snapshots (room_nid, drop_nid);

-- The highest integer IDs of what has been taken away: none is given twice. One row.
CREATE TABLE removed_nids (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  room_nid INTEGER NOT NULL DEFAULT 0,
  event_nid INTEGER NOT NULL DEFAULT 0,
  snapshot_nid INTEGER NOT NULL DEFAULT 0
);
INSERT INTO removed_nids (id) VALUES (1);

-- Everybody's membership in each room's current state.
CREATE TABLE memberships (
  room_nid INTEGER NOT NULL,
  user_nid INTEGER NOT NULL,
  -- 1 invite, 2 join, 3 knock, 4 leave, 5 ban
  membership INTEGER NOT NULL,
  event_nid INTEGER NOT NULL,
  -- Position of the member event.
  position INTEGER NOT NULL,
  is_local INTEGER NOT NULL,
  forgotten INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (room_nid, user_nid)
) WITHOUT ROWID;
CREATE INDEX memberships_user ON memberships (user_nid, membership, room_nid);
-- For "whose memberships have changed since", which device lists follow.
CREATE INDEX memberships_position ON memberships (position);
CREATE INDEX memberships_local ON memberships (room_nid, membership) WHERE is_local = 1;
-- For what a server is still to be told when the last of its users has gone.
CREATE INDEX memberships_gone ON memberships (room_nid, position) WHERE is_local = 0 AND membership IN (4, 5);

-- Each change of a local user's membership: what they were at a position, and which rooms changed since one.
CREATE TABLE membership_log (
  user_nid INTEGER NOT NULL,
  position INTEGER NOT NULL,
  room_nid INTEGER NOT NULL,
  membership INTEGER NOT NULL,
  event_nid INTEGER NOT NULL,
  PRIMARY KEY (user_nid, position)
) WITHOUT ROWID;
CREATE INDEX membership_log_room ON membership_log (user_nid, room_nid, position);

-- Relations between events of timelines (m.relates_to), as /relations and bundled aggregations read them. Shrinks when
-- the relating event is redacted.
CREATE TABLE event_relations (
  target_id TEXT NOT NULL,
  relation TEXT NOT NULL,
  -- Of the relating event.
  position INTEGER NOT NULL,
  event_nid INTEGER NOT NULL,
  room_nid INTEGER NOT NULL,
  sender_nid INTEGER NOT NULL,
  type_nid INTEGER NOT NULL,
  -- The key of an annotation.
  annotation_key TEXT,
  PRIMARY KEY (target_id, relation, position)
) WITHOUT ROWID;
CREATE INDEX event_relations_event ON event_relations (event_nid);

-- The threads of a room by their newest reply, for /threads. A thread goes with its last reply.
CREATE TABLE threads (
  room_nid INTEGER NOT NULL,
  root_id TEXT NOT NULL,
  latest_position INTEGER NOT NULL,
  PRIMARY KEY (room_nid, root_id)
) WITHOUT ROWID;
CREATE INDEX threads_latest ON threads (room_nid, latest_position);

-- Transaction IDs of local sends: a repeated request, that is one with the same path, gets the same event. Each send takes
-- the oldest rows away once they are a day old; integer IDs grow with time.
CREATE TABLE send_transactions (
  event_nid INTEGER PRIMARY KEY,
  user_nid INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  transaction_id TEXT NOT NULL,
  room_nid INTEGER NOT NULL,
  type_nid INTEGER NOT NULL,
  -- The event that a path names beside room and type: that which /redact is for. Empty in other paths.
  target_id TEXT NOT NULL,
  created_ts INTEGER NOT NULL,
  UNIQUE (user_nid, device_id, transaction_id, room_nid, type_nid, target_id)
);

CREATE TABLE room_aliases (
  alias TEXT PRIMARY KEY,
  room_nid INTEGER NOT NULL,
  creator_nid INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX room_aliases_room ON room_aliases (room_nid);
`;
