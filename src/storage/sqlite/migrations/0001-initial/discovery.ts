/** What rooms and people are found by; see `stores/room-summaries.ts`, `user-directory.ts`. */
export const discovery = `
-- A row a room: what it tells of itself, derived from its current state by the commits that change that. Goes with its room.
CREATE TABLE room_summaries (
  room_nid INTEGER PRIMARY KEY,
  name TEXT,
  topic TEXT,
  avatar_url TEXT,
  canonical_alias TEXT,
  room_type TEXT,
  encryption TEXT,
  join_rule TEXT NOT NULL,
  -- JSON list of the rooms whose members a restricted room lets in.
  allowed_room_ids TEXT NOT NULL,
  history_visibility TEXT,
  guest_access TEXT,
  creator TEXT,
  is_federatable INTEGER NOT NULL,
  -- Name, topic and alias, folded for searches.
  search_text TEXT NOT NULL
);

-- The m.space.child events in force. A row goes when its child is taken out of the space, or with its room.
CREATE TABLE space_children (
  room_nid INTEGER NOT NULL,
  child_id TEXT NOT NULL,
  event_nid INTEGER NOT NULL,
  PRIMARY KEY (room_nid, child_id)
) WITHOUT ROWID;

-- The words by which users are found, by user_nid. A row goes when its account is deactivated, that of a user of another
-- server with the last room that they are in.
CREATE VIRTUAL TABLE user_words USING fts5 (
  words, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3'
);

-- Users of other servers who are in rooms here, by the names under which they are found: that of their newest member
-- event. A row goes with the last room that they are in.
CREATE TABLE remote_users (
  user_nid INTEGER PRIMARY KEY,
  display_name TEXT
);

-- Up to which position the memberships of users of other servers have been taken up. One row at most.
CREATE TABLE user_directory_progress (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  members_up_to INTEGER NOT NULL
);
`;
