/** Strings that repeat everywhere have integer IDs inside; see `stores/names.ts`. */
export const names = `
CREATE TABLE stream_sequence (
  id INTEGER PRIMARY KEY,
  ceiling INTEGER NOT NULL
);

CREATE TABLE users (
  user_nid INTEGER PRIMARY KEY,
  user_id TEXT NOT NULL UNIQUE,
  is_local INTEGER NOT NULL
);

CREATE TABLE event_types (
  type_nid INTEGER PRIMARY KEY,
  type TEXT NOT NULL UNIQUE
);

-- A pair of event type and state key: what a room's state is keyed by.
CREATE TABLE state_pairs (
  pair_nid INTEGER PRIMARY KEY,
  type TEXT NOT NULL,
  state_key TEXT NOT NULL,
  UNIQUE (type, state_key)
);
`;
