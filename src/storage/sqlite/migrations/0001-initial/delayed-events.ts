/** Events that are to be sent later; see `stores/delayed-events.ts`. */
export const delayedEvents = `
-- Bounded for each user: in what is scheduled, and in what has ended. Each new event takes the oldest rows away that have
-- ended long ago; all rows of a user go with their account.
CREATE TABLE delayed_events (
  delay_nid INTEGER PRIMARY KEY,
  delay_id TEXT NOT NULL UNIQUE,
  user_nid INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  -- What repetitions of the request have in common with it.
  request_key TEXT,
  room_id TEXT NOT NULL,
  type TEXT NOT NULL,
  state_key TEXT,
  content TEXT NOT NULL,
  sticky_duration_ms INTEGER,
  -- What an application service says; NULL for the time at which the event is sent.
  origin_server_ts INTEGER,
  is_unlimited INTEGER NOT NULL,
  delay_ms INTEGER NOT NULL,
  scheduled_ts INTEGER NOT NULL,
  send_ts INTEGER NOT NULL,
  -- NULL while the event is scheduled.
  finalised_ts INTEGER,
  event_id TEXT,
  error TEXT
);
-- What is to be sent next.
CREATE INDEX delayed_events_due ON delayed_events (send_ts, delay_nid) WHERE finalised_ts IS NULL;
-- A user's list, in its order.
CREATE INDEX delayed_events_user ON delayed_events (user_nid, send_ts, delay_nid);
-- For the bound of what a user has scheduled.
CREATE INDEX delayed_events_scheduled ON delayed_events (user_nid, send_ts) WHERE finalised_ts IS NULL;
-- For what has ended long ago, of everybody and of one user.
CREATE INDEX delayed_events_finalised ON delayed_events (finalised_ts) WHERE finalised_ts IS NOT NULL;
CREATE INDEX delayed_events_ended ON delayed_events (user_nid, finalised_ts) WHERE finalised_ts IS NOT NULL;
CREATE UNIQUE INDEX delayed_events_request ON delayed_events (user_nid, device_id, request_key)
  WHERE request_key IS NOT NULL;
`;
