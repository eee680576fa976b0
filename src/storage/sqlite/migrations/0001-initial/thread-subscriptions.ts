/** Which threads users follow; see `stores/thread-subscriptions.ts`. */
export const threadSubscriptions = `
-- Bounded for each user. A room's rows go when the user forgets the room, all of them with the account.
CREATE TABLE thread_subscriptions (
  user_nid INTEGER NOT NULL,
  room_nid INTEGER NOT NULL,
  -- Event ID.
  root_id TEXT NOT NULL,
  is_subscribed INTEGER NOT NULL,
  is_automatic INTEGER NOT NULL,
  -- Of the last change.
  position INTEGER NOT NULL,
  PRIMARY KEY (user_nid, room_nid, root_id)
) WITHOUT ROWID;
-- What has changed since, and what has not for longest.
CREATE INDEX thread_subscriptions_changes ON thread_subscriptions (user_nid, position);
`;
