/** Events that are delivered to everybody for some time; see `stores/sticky-events.ts`. */
export const stickyEvents = `
-- Each new row takes the oldest away whose time is over. A row also goes when its event is redacted.
CREATE TABLE sticky_events (
  event_nid INTEGER PRIMARY KEY,
  room_nid INTEGER NOT NULL,
  sender_nid INTEGER NOT NULL,
  -- From where on clients get it; NULL for one that is soft-failed.
  position INTEGER,
  until_ts INTEGER NOT NULL
);
-- What is new in a room.
CREATE INDEX sticky_events_room ON sticky_events (room_nid, position) WHERE position IS NOT NULL;
-- For the bound of each sender, and for those that a change of membership brings back.
CREATE INDEX sticky_events_sender ON sticky_events (room_nid, sender_nid, until_ts);
CREATE INDEX sticky_events_until ON sticky_events (until_ts);
`;
