/** Where notifications go, and how far they have got; see `stores/pushers.ts`. */
export const pushers = `
-- Bounded for each user; a row goes with its device, when its gateway rejects it, or when another user takes its pushkey.
CREATE TABLE pushers (
  -- Never given out twice: what is under way for a pusher that is gone must not meet another one.
  pusher_nid INTEGER PRIMARY KEY AUTOINCREMENT,
  user_nid INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  app_id TEXT NOT NULL,
  pushkey TEXT NOT NULL,
  set_ts INTEGER NOT NULL,
  is_enabled INTEGER NOT NULL,
  -- JSON: the pusher as its user has set it.
  description TEXT NOT NULL,
  -- Position up to which all is delivered; NULL: as far as push_progress says.
  delivered_up_to INTEGER
);
-- Each app and pushkey once for a user; and for taking over those of other users.
CREATE UNIQUE INDEX pushers_key ON pushers (app_id, pushkey, user_nid);
-- For users' own, whether they have any, and for ending devices.
CREATE INDEX pushers_user ON pushers (user_nid, device_id);
-- For taking up work after a start.
CREATE INDEX pushers_behind ON pushers (pusher_nid) WHERE delivered_up_to IS NOT NULL;

-- One row: all events up to this position have been judged for all pushers.
CREATE TABLE push_progress (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  up_to INTEGER NOT NULL
);
`;
