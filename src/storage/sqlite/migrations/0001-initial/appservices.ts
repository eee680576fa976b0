/** What application services have been told, and the rooms that they list; see `stores/appservices.ts`. */
export const appservices = `
-- A row for each application service that is to be told of events. It goes at the first start without its registration.
CREATE TABLE appservices (
  appservice_id TEXT PRIMARY KEY,
  -- Everything up to this position has been acknowledged, or is in the transaction that waits.
  up_to INTEGER NOT NULL,
  -- ID of the newest transaction.
  last_transaction INTEGER NOT NULL,
  -- For administrators: since when it cannot be told, and why the last time. NULL while it can.
  failing_since_ts INTEGER,
  last_error TEXT
) WITHOUT ROWID;

-- The transaction that an application service has not acknowledged: one at most for each, with a bound on its size.
CREATE TABLE appservice_transactions (
  appservice_id TEXT PRIMARY KEY,
  transaction_id INTEGER NOT NULL,
  -- As it is sent: it must not change from one attempt to the next.
  body TEXT NOT NULL,
  -- JSON list of positions: the messages to devices that have no other reader, so that they go when it is acknowledged.
  taken_messages TEXT NOT NULL
);

-- The rooms in the directories of application services' networks. Rows go as their service says, or with its registration.
CREATE TABLE appservice_rooms (
  appservice_id TEXT NOT NULL,
  network_id TEXT NOT NULL,
  room_nid INTEGER NOT NULL,
  PRIMARY KEY (appservice_id, network_id, room_nid)
) WITHOUT ROWID;
`;
